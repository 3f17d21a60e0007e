/**
 * Upgrades a cluster of three hosts under load: mesosup from an older payload, and newer packages of ZooKeeper, Mesos
 * and Docker. In the soak also with a host that is killed in the midst, with a Docker that ends containers, and back again.
 * The older mesosup is this build with an older version; `upgrade-released.test.ts` has the release 0.1.0.
 */

import { cp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PlanSummary } from '../../../src/install/summary.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { docCommand } from '../../support/docs.ts';
import { root, until } from '../demo-cluster.ts';
import { makeTestImages } from '../support/busybox-image.ts';
import { runExample } from '../support/cluster-example.ts';
import type { HttpLoad } from '../support/http-load.ts';
import { expectDone, LabCluster, mesosOf } from '../support/lab-cluster.ts';
import type { LbProcess } from '../support/lb-process.ts';
import { offerNewer } from '../support/newer-packages.ts';
import {
  installWith,
  offerAll,
  olderProgram,
  packageVersion,
  payloadOf,
  upgradeEverything,
} from '../support/upgrade-everything.ts';
import { leadersOf, taskContainers, watched as watchedWith } from '../support/upgrade-watch.ts';
import {
  CONTAINERS,
  createWebApps,
  SERVICE_PORTS,
  startWebBalancer,
  untilAnswered,
} from '../support/web-apps.ts';

/** The whole takes about ten minutes on a quiet machine. */
const inSoak = test.runIf(process.env.MESOSUP_SOAK_FACTOR !== undefined);
/** A bound for hangs. */
const LONG_MS = 2_400_000;

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
  cluster.commandMs = LONG_MS / 2;
  await makeTestImages();
});
afterAll(async () => {
  await balancer?.stop();
  await lab?.stop();
});

function hosts(): [LabHost, ...LabHost[]] {
  return lab.hosts as [LabHost, ...LabHost[]];
}

function balanced() {
  return { ports: SERVICE_PORTS, log: balancer.log };
}

function watched(title: string, work: () => Promise<void>): Promise<HttpLoad> {
  return watchedWith(cluster, balanced(), title, work);
}

async function upgrade(...args: string[]) {
  const done = await cluster.run('upgrade', '--yes', ...args);
  console.log(done.all);
  return done;
}

test(
  'an older mesosup installs the cluster',
  async () => {
    const { good, version } = lab.mesos();
    await cluster.writeSpec({ mesos: mesosOf(good, version), hosts: ['h1', 'h2', 'h3'] });
    older = await olderProgram(lab);
    await installWith(cluster, older);
    olderVersion = await payloadOf(hosts()[0]);
  },
  LONG_MS,
);

test(
  'ten apps with two containers each run behind haproxy',
  async () => {
    balancer = await startWebBalancer(cluster);
    await createWebApps(cluster, { drainSeconds: 5 });
    await untilAnswered(SERVICE_PORTS, balancer.log);
    // Without a version in the file, an upgrade brings the newest.
    await cluster.writeSpec({ hosts: ['h1', 'h2', 'h3'] });
    newer = await offerAll(lab);
  },
  LONG_MS,
);

test(
  'the dry run shows what is newer, what restarts in which order, and changes nothing',
  async () => {
    const now = await leadersOf(cluster);
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
    expect(await packageVersion(lab.hosts[0] as LabHost, 'aventer-mesos')).not.toBe(newer['aventer-mesos']);
  },
  LONG_MS,
);

test(
  'everything is upgraded under load: no request fails, and no container restarts',
  async () => {
    await upgradeEverything(cluster, newer, balanced(), 'upgrade of everything', '--first', 'h2');
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
        (await Promise.all(lab.hosts.map((host) => packageVersion(host, 'aventer-mesos')))).map(
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
    for (const host of lab.hosts) expect(await packageVersion(host, 'aventer-mesos')).toBe(version);
    await cluster.healthy();
  },
  LONG_MS,
);

inSoak(
  'a Docker that ends containers is upgraded on agents that were drained, without a failed request',
  async () => {
    await until('all tasks run', async () => (await taskContainers(lab)).length === CONTAINERS, 120_000);
    const was = await taskContainers(lab);
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
    const now = await taskContainers(lab);
    expect(now).toHaveLength(CONTAINERS);
    expect(now.filter((line) => was.includes(line))).toEqual([]);
    for (const host of lab.hosts) {
      expect(await packageVersion(host, 'docker.io')).toMatch(/^23[.]0[.]/);
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
    const was = await taskContainers(lab);
    try {
      const { failures } = await watched('back to the former mesosup', async () => {
        expectDone(await upgrade('--to', olderVersion));
      });
      expect(failures).toEqual([]);
    } finally {
      await rm(kept);
      await rm(path.join(root, 'build/payload/programs', olderVersion), { recursive: true, force: true });
    }
    expect(await taskContainers(lab)).toEqual(was);
    for (const host of lab.hosts) expect(await payloadOf(host)).toBe(olderVersion);
    await cluster.healthy();
    await runExample(cluster, lab.host('h1'));
  },
  LONG_MS,
);
