/**
 * Upgrades a cluster of three hosts under load: mesosup from an older payload, and newer packages of ZooKeeper, Mesos
 * and Docker. In the soak also with a host that is killed in the midst, with a Docker that ends containers, and back again.
 *
 * The older mesosup is this build with an older version. MESOSUP_TEST_OLD names the directory of another one, for
 * example `dist` of a build of the release 0.1.0.
 */

import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PlanSummary } from '../../../src/install/summary.ts';
import type { LabHost } from '../../lab/host.ts';
import { loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { docCommand } from '../../support/docs.ts';
import { root, until } from '../demo-cluster.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { type HttpLoad, underHttpLoad } from '../support/http-load.ts';
import { expectDone, LabCluster, mesosOf, PORTS } from '../support/lab-cluster.ts';
import { type LbProcess, startLb } from '../support/lb-process.ts';
import { offerNewer } from '../support/newer-packages.ts';

const APPS = 10;
/** The whole takes about ten minutes on a quiet machine. */
const inSoak = test.runIf(process.env.MESOSUP_SOAK_FACTOR !== undefined);
/** A bound for hangs. */
const LONG_MS = 1_200_000;
/** Service ports of the apps on this machine. */
const FIRST_PORT = 21_800;

let lab: Lab;
let cluster: LabCluster;
let balancer: LbProcess;
let newer: Record<string, string>;
let older: string;
let olderVersion: string;

beforeAll(async () => {
  lab = await startLab({
    hosts: [{ packages: MEMBER_PACKAGES }, { packages: MEMBER_PACKAGES }, { packages: MEMBER_PACKAGES }],
  });
  cluster = new LabCluster(lab);
  await makeTestImages();
});
afterAll(async () => {
  await balancer?.stop();
  await lab?.stop();
});

function hosts(): [LabHost, ...LabHost[]] {
  return lab.hosts as [LabHost, ...LabHost[]];
}

/** A copy of this build that says that it is older. */
async function olderProgram(): Promise<string> {
  const given = process.env.MESOSUP_TEST_OLD;
  if (given !== undefined) return path.join(given, 'bin/mesosup');
  const directory = path.join(lab.directory, 'older/dist');
  await cp(path.join(root, 'dist'), directory, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (from) => !from.endsWith('dist/cache'),
  });
  for (const name of ['package.json', 'lib/oclif.manifest.json']) {
    const file = path.join(directory, name);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/"version": ?"[^"]*"/, '"version": "0.0.9"'));
  }
  return path.join(directory, 'bin/mesosup');
}

/** Containers of tasks: host, id and start. */
async function containers(): Promise<string[]> {
  const list =
    "docker ps -q --no-trunc --filter label=mesosup.task | xargs -r docker inspect -f '{{.Id}} {{.State.StartedAt}}'";
  const all = await Promise.all(
    lab.hosts.map(async (host) => (await host.run(list)).split('\n').map((line) => `${host.name} ${line}`)),
  );
  return all
    .flat()
    .filter((line) => line.split(' ').length > 2)
    .sort();
}

type Leaders = Record<'zookeeper' | 'master' | 'scheduler', string>;

async function leaders(): Promise<Leaders> {
  const found = { zookeeper: '', master: '', scheduler: '' };
  await Promise.all(
    lab.hosts.map(async (host) => {
      const srvr = `timeout 1 bash -c 'exec 3<>/dev/tcp/${host.address}/2181; echo srvr >&3; cat <&3'`;
      if ((await host.exec(srvr)).stdout.includes('Mode: leader')) found.zookeeper = host.name;
      const metrics = await cluster
        .operator(host, PORTS.master, '/metrics/snapshot', { signal: AbortSignal.timeout(2000) })
        .then((answer) => answer.json() as Promise<Record<string, number>>)
        .catch(() => ({}) as Record<string, number>);
      if (metrics['master/elected'] === 1) found.master = host.name;
    }),
  );
  for (const host of lab.hosts) {
    const answer = await cluster
      .api(host, '/v2/leader', { signal: AbortSignal.timeout(2000) })
      .catch(() => null);
    if (!answer?.ok) continue;
    const { leader } = (await answer.json()) as { leader: string };
    found.scheduler = lab.hosts.find(({ address }) => leader === `${address}:${PORTS.scheduler}`)?.name ?? '';
    break;
  }
  return found;
}

/** Does the work under load, and prints what happened. */
async function watched(title: string, work: () => Promise<void>): Promise<HttpLoad> {
  const changes = { zookeeper: 0, master: 0, scheduler: 0 };
  let last = await leaders();
  let over = false;
  const watching = (async () => {
    while (!over) {
      await sleep(300);
      const now = await leaders();
      for (const role of ['zookeeper', 'master', 'scheduler'] as const) {
        if (now[role] !== '' && now[role] !== last[role]) {
          changes[role] += 1;
          last = { ...last, [role]: now[role] };
        }
      }
    }
  })();
  const began = performance.now();
  const load = await underHttpLoad(
    Array.from({ length: APPS }, (_, i) => FIRST_PORT + i),
    work,
  ).finally(async () => {
    over = true;
    await watching;
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const led = Object.entries(changes).map(([role, number]) => `${role} ${number}`);
  console.log(
    `${title}: ${seconds} s, ${load.answered} requests answered, ${load.failures.length} failed; leader changes: ${led.join(', ')}`,
  );
  if (load.failures.length > 0)
    console.log(`The load balancer's log:\n${balancer.log.slice(-60).join('\n')}`);
  return load;
}

async function upgrade(...args: string[]) {
  const done = await cluster.run('upgrade', '--yes', ...args);
  console.log(done.all);
  return done;
}

async function installed(host: LabHost, name: string): Promise<string> {
  return host.run(`dpkg-query -W -f '\${Version}' ${name}`);
}

test(
  'an older mesosup installs the cluster',
  async () => {
    const { good, version } = lab.mesos();
    await cluster.writeSpec({ mesos: mesosOf(good, version), hosts: ['h1', 'h2', 'h3'] });
    older = await olderProgram();
    cluster.program = older;
    expectDone(await cluster.run('install', '--start', '--yes'));
    cluster.program = path.join(root, 'bin/mesosup');
    olderVersion = (await hosts()[0].run('readlink /opt/mesosup/current')).trim();
  },
  LONG_MS,
);

test(
  'ten apps with two containers each run behind haproxy',
  async () => {
    const { nextVersion } = lab.mesos();
    await Promise.all(lab.hosts.map((host) => loadImage(host, BUSYBOX)));
    const [host] = lab.hosts as [LabHost];
    await mkdir(path.join(lab.directory, 'lb'), { recursive: true });
    const credentials = path.join(lab.directory, 'lb-credentials');
    await writeFile(credentials, `mesosup:${(await cluster.secrets()).api}\n`, { mode: 0o600 });
    balancer = await startLb(
      lab.hosts.map(({ address }) => `http://${address}:${PORTS.scheduler}`).join(','),
      path.join(lab.directory, 'lb'),
      { 'credentials-file': credentials },
    );
    await Promise.all(
      Array.from({ length: APPS }, async (_, i) => {
        const app = {
          id: `/web${i}`,
          instances: 2,
          cpus: 0.05,
          mem: 16,
          drainSeconds: 5,
          args: [
            'sh',
            '-c',
            'mkdir -p /tmp/www; echo here >/tmp/www/index.html; exec httpd -f -p 8000 -h /tmp/www',
          ],
          container: {
            docker: { image: BUSYBOX, network: 'BRIDGE' },
            portMappings: [{ containerPort: 8000, servicePort: FIRST_PORT + i }],
          },
          labels: { HAPROXY_GROUP: 'external' },
          healthChecks: [{ protocol: 'TCP', intervalSeconds: 1, gracePeriodSeconds: 60 }],
          constraints: [['hostname', 'UNIQUE']],
        };
        const made = await cluster.api(host, '/v2/apps', { method: 'POST', body: JSON.stringify(app) });
        expect(made.status, await made.text()).toBe(201);
      }),
    );
    let failures: readonly string[] = [];
    await until(
      'all apps answer',
      async () => {
        const load = await underHttpLoad(
          Array.from({ length: APPS }, (_, i) => FIRST_PORT + i),
          () => sleep(300),
        );
        ({ failures } = load);
        return failures.length === 0;
      },
      120_000,
    ).catch((cause: unknown) => {
      const seen = [...new Set(failures)].slice(0, 5).concat(balancer.log.slice(-10));
      throw new Error(`the apps do not answer: ${seen.join('; ')}`, { cause });
    });
    expect(await containers()).toHaveLength(2 * APPS);
    // Without a version in the file, an upgrade brings the newest.
    await cluster.writeSpec({ hosts: ['h1', 'h2', 'h3'] });
    newer = await offerNewer(hosts(), { zookeeper: 's/$/+lab1/', 'docker.io': 's/$/+lab1/' });
    newer['aventer-mesos'] = nextVersion;
  },
  LONG_MS,
);

test(
  'the dry run shows what is newer, what restarts in which order, and changes nothing',
  async () => {
    const now = await leaders();
    const { code, stdout } = await cluster.runLine(
      docCommand('docs/upgrade.md', 'mesosup upgrade --dry-run'),
      '--json',
    );
    expect(code, stdout).toBe(3);
    const { upgrade } = (JSON.parse(stdout) as { summary: PlanSummary }).summary;
    for (const [name, to] of Object.entries(newer))
      expect(upgrade?.versions.filter((one) => one.name === name && one.to === to)).toHaveLength(3);
    expect(upgrade?.versions.filter(({ name, from, to }) => name === 'mesosup' && from !== to)).toHaveLength(
      3,
    );
    const order = (stage: string) =>
      (upgrade?.order ?? []).filter((one) => one.stage === stage).map(({ hosts }) => hosts.join('+'));
    expect([order('zookeeper').at(-1), order('masters').at(-1), order('schedulers').at(-1)]).toEqual([
      now.zookeeper,
      now.master,
      now.scheduler,
    ]);
    for (const stage of ['zookeeper', 'masters', 'schedulers', 'docker'])
      expect(order(stage)).toHaveLength(3);
    expect(await installed(lab.hosts[0] as LabHost, 'aventer-mesos')).not.toBe(newer['aventer-mesos']);
  },
  LONG_MS,
);

test(
  'everything is upgraded under load: no request fails, and no container restarts',
  async () => {
    const was = await containers();
    const { failures } = await watched('upgrade of everything', async () => {
      expectDone(await upgrade('--first', 'h2'));
    });
    expect(failures).toEqual([]);
    expect(await containers()).toEqual(was);
    for (const host of lab.hosts)
      for (const [name, version] of Object.entries(newer)) expect(await installed(host, name)).toBe(version);
    await cluster.healthy();
    const again = await upgrade();
    expect(again.stdout).toMatch(/no changes/i);
    expect(await cluster.planned()).toEqual({});
  },
  LONG_MS,
);

inSoak(
  'Mesos goes back to its former version, also when a host loses its power in the midst',
  async () => {
    const { version } = lab.mesos();
    const back = ['--only', 'mesos', '--to', version];
    const { answered } = await watched('back to the former Mesos, with a host killed', async () => {
      const running = cluster.start('upgrade', '--yes', '--timeout', '20', ...back);
      const done = async () =>
        (await Promise.all(lab.hosts.map((host) => installed(host, 'aventer-mesos')))).map(
          (one) => one === version,
        );
      const first = await until('a host is done', async () => (await done()).indexOf(true) + 1, 180_000);
      const victim = lab.hosts[first % 3] as LabHost;
      await victim.kill();
      const { exitCode, all } = await running;
      console.log(all);
      expect(exitCode, all).toBe(1);
      expect(all).toContain('Run the same command again to resume.');
      await victim.start();
      await cluster.healthy();
      expectDone(await upgrade(...back));
    });
    expect(answered).toBeGreaterThan(100);
    for (const host of lab.hosts) expect(await installed(host, 'aventer-mesos')).toBe(version);
    await cluster.healthy();
  },
  LONG_MS,
);

inSoak(
  'a Docker that ends containers is upgraded on agents that were drained, without a failed request',
  async () => {
    await until('all tasks run', async () => (await containers()).length === 2 * APPS, 120_000);
    const was = await containers();
    const next = 's/^20[.]10[.]/23.0./';
    await offerNewer(hosts(), { 'docker.io': next });
    const { failures } = await watched('Docker with drains', async () => {
      const done = await upgrade('--only', 'docker');
      expectDone(done);
      expect(done.stdout).toMatch(
        /h1: \d+ tasks? moves? to other agents or ends?, because Docker 23.0 does not keep/,
      );
    });
    expect(failures).toEqual([]);
    const now = await containers();
    expect(now).toHaveLength(2 * APPS);
    expect(now.filter((line) => was.includes(line))).toEqual([]);
    for (const host of lab.hosts) {
      expect(await installed(host, 'docker.io')).toMatch(/^23[.]0[.]/);
      expect(await host.run('ls /var/lib/mesosup')).not.toContain('agent-returns');
    }
    await cluster.healthy();
  },
  LONG_MS,
);

inSoak(
  'mesosup goes back to the version before, by its archive on this machine',
  async () => {
    // As if this build had sent it.
    const from = path.join(path.dirname(path.dirname(older)), '../build/payload');
    const archive = (await readdir(from)).find((name) => name.endsWith('.tar.gz')) ?? '';
    const kept = path.join(root, 'build/payload', archive);
    await cp(path.join(from, archive), kept);
    const was = await containers();
    try {
      const { failures } = await watched('back to the former mesosup', async () => {
        expectDone(await upgrade('--to', olderVersion));
      });
      expect(failures).toEqual([]);
    } finally {
      await rm(kept);
      await rm(path.join(root, 'build/payload/programs', olderVersion), { recursive: true, force: true });
    }
    expect(await containers()).toEqual(was);
    for (const host of lab.hosts)
      expect((await host.run('readlink /opt/mesosup/current')).trim()).toBe(olderVersion);
    await cluster.healthy();
  },
  LONG_MS,
);
