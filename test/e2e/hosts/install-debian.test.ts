/** Hosts with Debian 13, and 11 and 12 in the soak, each a separate cluster with ZooKeeper: installed, used, rebooted, uninstalled. */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DEBIAN, type DebianName } from '../../lab/bases.ts';
import type { LabHost } from '../../lab/host.ts';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { machineApt } from '../../lab/machine-apt.ts';
import { realDeb } from '../../lab/mesos-deb.ts';
import { dashboardExpressions, metricNames } from '../../monitoring/metric-names.ts';
import { docCommand } from '../../support/docs.ts';
import { runs } from '../../support/runs.ts';
import { root, until } from '../demo-cluster.ts';
import { fileList, listDifference } from '../support/file-list.ts';
import { expectDone, LabCluster } from '../support/lab-cluster.ts';
import { runPrometheus } from '../support/prometheus.ts';

const INSTALL_MS = 600_000;
const APP = 'multidis';
const ALL = Object.keys(DEBIAN) as DebianName[];
const SYSTEMS = realDeb()
  ? // A package built on this machine needs at least this machine's glibc.
    ALL.slice(Object.values<string>(DEBIAN).indexOf((await machineApt()).codename))
  : // The other tests on hosts use Debian 12.
    ALL.filter((name) => runs(1) > 1 || name === 'debian-13');
const roles = ['zookeeper', 'master', 'scheduler', 'agent'];

interface Site {
  host: LabHost;
  cluster: LabCluster;
  /** The initial content of the host's file system. */
  before: Map<string, string>;
}

let lab: Lab;
let image: string;
let sites: Site[];

beforeAll(async () => {
  lab = await startLab({ hosts: SYSTEMS.map((system) => ({ name: system, system })) });
  image = await ensureRedisImage();
  const { url, sha256 } = lab.mesos();
  sites = await Promise.all(
    lab.hosts.map(async (host) => {
      const cluster = new LabCluster(lab, host.name);
      const mesos = { source: 'package', from: url, sha256 };
      await cluster.writeSpec({
        mesos,
        name: host.name,
        hosts: [{ name: host.name, roles }],
        monitoring: { listen: 'cluster' },
      });
      return { host, cluster, before: await fileList(host) };
    }),
  );
}, INSTALL_MS);

afterAll(() => lab?.stop());

/** Runs the check on all hosts at the same time. @throws the first error, when all have ended */
async function onAll(check: (site: Site) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(sites.map(check));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Waits until the app's instance answers `GET x` with what was set, from a container of its host. */
async function expectAnswer({ host, cluster }: Site): Promise<void> {
  await until(
    `Redis answers on ${host.name}`,
    async () => {
      const [endpoint] = await cluster.endpoints(host, APP).catch(() => []);
      if (!endpoint) return false;
      const ask = `docker run --rm ${image} redis-cli -h ${endpoint.host} -p ${endpoint.port}`;
      const { stdout } = await host.exec(`${ask} SET x 7 && ${ask} GET x`);
      return stdout.trim() === 'OK\n7';
    },
    120_000,
  );
}

/** Waits until the cluster is healthy, and expects nothing left to change on its host. */
async function expectHealthy({ host, cluster }: Site): Promise<void> {
  const { hosts } = await cluster.healthy();
  expect(hosts).toMatchObject([{ host: host.name, drift: 0 }]);
}

/** Runs a command of docs/monitoring.md in the cluster's directory. */
async function monitoring({ cluster }: Site, line: string): Promise<void> {
  const known = line.startsWith('mesosup monitoring config') ? ` --state ${cluster.state}` : '';
  await execa('sh', ['-c', line + known], {
    cwd: cluster.directory,
    env: { PATH: `${root}/bin:${process.env.PATH}` },
    stdin: 'ignore',
  });
}

/** The app's containers, each with its start time. */
function containers(host: LabHost): Promise<string> {
  return host.run(
    "docker ps -q --no-trunc --filter label=mesosup.task | xargs -r docker inspect -f '{{.Id}} {{.State.StartedAt}}'",
  );
}

describe(`on each of ${SYSTEMS.join(', ')}`, () => {
  test('the host is of that release', async () => {
    await onAll(async ({ host }) => {
      const name = await host.run('. /etc/os-release; echo "$ID-$VERSION_ID $VERSION_CODENAME"');
      expect(name).toBe(`${host.name} ${DEBIAN[host.name as DebianName]}`);
    });
  });

  test(
    'install --start makes a healthy cluster, and changes nothing when it is repeated',
    async () => {
      await onAll(async (site) => {
        expectDone(await site.cluster.run('install', '--start', '--yes'));
        await expectHealthy(site);
        const again = await site.cluster.run('install', '--start', '--yes');
        expectDone(again);
        expect(again.stdout).toMatch(/no changes/i);
      });
    },
    INSTALL_MS,
  );

  test(
    'the 2013 example answers',
    async () => {
      await onAll(async (site) => {
        const { host, cluster } = site;
        await loadImage(host, image);
        const answer = await cluster.api(host, '/v1/apps/start', {
          method: 'POST',
          body: JSON.stringify({
            ...{ id: APP, instances: 1, mem: 256, cpus: 0.5 },
            ...{ executor: '/var/lib/mesos/executors/docker', cmd: image },
          }),
        });
        expect(answer.status, await answer.text()).toBe(204);
        await expectAnswer(site);
      });
    },
    INSTALL_MS,
  );

  test('a Prometheus scrapes the host with the files of docs/monitoring.md', async () => {
    await onAll(async (site) => {
      await monitoring(site, docCommand('docs/monitoring.md', 'mesosup monitoring config'));
      await monitoring(site, docCommand('docs/monitoring.md', 'mesosup monitoring rules'));
      await monitoring(site, docCommand('docs/monitoring.md', 'mesosup monitoring dashboard'));
      await monitoring(site, docCommand('docs/monitoring.md', 'promtool check config'));
      const directory = path.join(site.cluster.directory, 'monitoring');
      const password = path.join(directory, 'scheduler-password');
      expect((await stat(password)).mode & 0o777).toBe(0o600);
      const text = await readFile(path.join(directory, 'prometheus.yml'), 'utf8');
      expect(text).not.toContain(await readFile(password, 'utf8'));
      const config = parse(text);
      config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
      const prometheus = await runPrometheus(directory, config);
      try {
        const own = dashboardExpressions(site.host.name).filter((one) => !/haproxy_|mesosup_lb_/.test(one));
        const names = new Set(own.flatMap(metricNames));
        const missing = async () => {
          const found: string[] = [];
          for (const one of [...names, ...own])
            if ((await prometheus.query(one)).length === 0) found.push(one);
          return found;
        };
        await expect.poll(missing, { timeout: 60_000, interval: 500 }).toEqual([]);
        for (const query of ['up', 'mesos_up', 'mesosup_connected', 'mesos_agent_registered']) {
          const samples = await prometheus.query(query);
          expect(samples.length, query).toBeGreaterThan(0);
          for (const { labels, value } of samples) {
            expect([query, value]).toEqual([query, 1]);
            expect(labels).toMatchObject({ cluster: site.host.name, host: site.host.name });
          }
        }
      } finally {
        await prometheus.stop();
      }
    });
  });

  test(
    'a restart of any service does not affect the container, and the app answers',
    async () => {
      await onAll(async (site) => {
        const { host } = site;
        const was = await containers(host);
        expect(was).not.toBe('');
        for (const unit of ['mesos-agent', 'mesosup-scheduler', 'mesos-master', 'zookeeper', 'docker']) {
          await host.run(`systemctl restart ${unit}`);
          await expectHealthy(site);
          await expectAnswer(site);
          expect({ unit, containers: await containers(host) }).toEqual({ unit, containers: was });
        }
      });
    },
    INSTALL_MS,
  );

  test(
    'a reboot brings the cluster and the app back',
    async () => {
      await onAll(async (site) => {
        await site.host.reboot();
        await expectHealthy(site);
        await expectAnswer(site);
      });
    },
    INSTALL_MS,
  );

  test(
    'uninstall --purge leaves nothing',
    async () => {
      await onAll(async ({ host, cluster, before }) => {
        expectDone(await cluster.run('uninstall', '--yes', '--purge'));
        expect(await host.run('ps -eo args')).not.toMatch(/mesos|containerd|zookeeper|redis|docker/);
        const left = listDifference(before, await fileList(host));
        expect({ host: host.name, left }).toEqual({ host: host.name, left: [] });
      });
    },
    INSTALL_MS,
  );
});
