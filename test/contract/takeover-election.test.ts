/** Takes over a Marathon that its supervisor starts again and again, by its own election in a real ZooKeeper. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readJournalEvents } from '../../src/scheduler/store/journal.ts';
import { keptAddress } from '../../src/scheduler/takeover/latch.ts';
import type { ZooKeeperSession } from '../../src/zookeeper/client.ts';
import { openZooKeeper } from '../../src/zookeeper/session.ts';
import { docCommand } from '../support/docs.ts';
import { freePorts } from '../support/free-ports.ts';
import { type Marathon, startMarathon } from '../support/marathon/start.ts';
import { master } from './support/mesos.ts';
import { askJson } from './support/programs.ts';
import { MESOSUP, runTakeover, startTakeover, tearDownStandIn } from './support/takeover.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

/** Allows sessions of up to 20 ticks. */
const TICK_MS = 500;
const WITHIN = { timeout: 40_000, interval: 100 };

let directory: string;
let file: string;
let zookeeper: Ensemble;
let session: ZooKeeperSession;
let zk: string;
let data: string;
let scheduler: SchedulerProcess | undefined;

/** Instances of Marathon, each of which is started again when it ends, at the same port. */
const instances: { url: string; marathon: Marathon; starts: number }[] = [];
let supervises = true;

async function supervise(): Promise<void> {
  const [port = 0] = await freePorts(1);
  const start = () =>
    startMarathon({ master, file, port, zk: `zk://marathon:p@${zookeeper.hosts}/marathon` });
  const marathon = await start();
  const instance = { url: marathon.url, marathon, starts: 1 };
  instances.push(instance);
  const restart = (): void => {
    instance.marathon.child.once('exit', () => {
      if (!supervises) return;
      void start().then((next) => {
        instance.marathon = next;
        instance.starts += 1;
        restart();
      });
    });
  };
  restart();
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-election-'));
  file = path.join(directory, 'marathon.json');
  data = path.join(directory, 'state');
  zookeeper = await startZooKeeper(1, TICK_MS);
  const address = path.join(directory, 'zk');
  await writeFile(address, `zk://marathon:p@${zookeeper.hosts}/marathon\n`, { mode: 0o600 });
  zk = `file://${address}`;
  session = await openZooKeeper({ servers: zookeeper.servers, credentials: 'marathon:p', timeoutMs: 4000 });
  await supervise();
  await leading();
  await supervise();
});

afterAll(async () => {
  supervises = false;
  for (const { marathon } of instances) await marathon.stop('SIGKILL');
  await scheduler?.kill();
  await session?.close();
  await zookeeper?.stop();
  await tearDownStandIn(file);
  await rm(directory, { recursive: true, force: true });
});

/** Waits until an instance of Marathon is subscribed. */
async function leading(): Promise<Marathon> {
  return vi.waitFor(async () => {
    for (const { marathon } of instances) {
      const { frameworkId } = await marathon
        .get<{ frameworkId?: string }>('/v2/info')
        .catch(() => ({ frameworkId: undefined }));
      if (frameworkId !== undefined) return marathon;
    }
    throw new Error('no Marathon leads');
  }, WITHIN);
}

function candidates(): Promise<string[]> {
  return session.children('/marathon/leader-curator').then((names) => names ?? []);
}

function takeover(url: string, ...args: string[]) {
  return runTakeover(url, data, '--marathon-zk', zk, '--yes', ...args);
}

interface Shown {
  tasks: { id: string; state: string }[];
}

it('wins the election from all instances of Marathon, and keeps it after its end', async () => {
  const marathon = await leading();
  await marathon.app({ id: '/a', cmd: 'exec sleep 100400', cpus: 0.1, mem: 16, instances: 2 });
  const before = await vi.waitFor(async () => {
    const { tasks } = await marathon.get<Shown>('/v2/tasks');
    expect(tasks.map(({ state }) => state)).toEqual(['TASK_RUNNING', 'TASK_RUNNING']);
    return tasks.map(({ id }) => id).sort();
  }, WITHIN);

  const { exitCode, stdout, stderr } = await takeover(marathon.url);
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toContain('Marathon can not lead again until you run this command with --release.');
  // Both have led, and were started again.
  await vi.waitFor(async () => {
    expect(instances.every(({ starts }) => starts > 1)).toBe(true);
    const names = await candidates();
    expect(names.filter((name) => name.startsWith('mesosup-'))).toEqual([
      expect.stringMatching(/^mesosup-latch-\d{10}$/),
    ]);
    expect(names.filter((name) => name.startsWith('_c_'))).toHaveLength(2);
  }, WITHIN);

  scheduler = startScheduler('--master', master, '--data_dir', data);
  const at = new URL(await scheduler.url()).host;
  await vi.waitFor(async () => {
    const { tasks } = await askJson<Shown>(at, '/v2/tasks');
    expect(tasks.map(({ id }) => id).sort()).toEqual(before);
    expect(await askJson<{ gauges: object }>(at, '/metrics')).toMatchObject({
      gauges: { 'mesosup.connected': { value: 1 }, 'mesosup.tasks.unanswered': { value: 0 } },
    });
  }, WITHIN);
  // The restarted instances wait behind the takeover, and do not subscribe.
  expect(scheduler.child.exitCode).toBe(null);

  const again = await takeover(marathon.url);
  expect(again.exitCode).toBe(1);
  expect(again.stderr).toMatch(/is in use by process/);
});

it('gives the leadership back to Marathon', async () => {
  scheduler?.child.kill('SIGTERM');
  await scheduler?.ended;
  const again = await takeover(instances[0]?.url ?? '');
  expect(again.exitCode).toBe(1);
  expect(again.stderr).toMatch(/holds the state of a takeover already/);

  const command = docCommand(
    'docs/migrating.md',
    'mesosup scheduler takeover http://marathon.example:8080 --marathon-zk',
  ).replace('file:///etc/marathon/zk', zk);
  expect(command).toMatch(/ --release$/);
  const env = { PATH: `${path.dirname(MESOSUP)}:${process.env.PATH}` };
  const released = await execa(command, { shell: true, env });
  expect(released.stdout).toMatch(/^Marathon can lead again\./);
  const marathon = await leading();
  const { tasks } = await marathon.get<Shown>('/v2/tasks');
  expect(tasks).toHaveLength(2);
  expect((await execa(command, { shell: true, env })).stdout).toMatch(/^No takeover keeps the leadership/);
});

it('ends a takeover that was interrupted when only the leadership was kept', async () => {
  await leading();
  const marathon = [...instances].find(({ url }) => url)?.marathon;
  const other = path.join(directory, 'other');
  await session.create(
    '/marathon/leader-curator/mesosup-latch-0000000000',
    Buffer.from(keptAddress({ directory: other })),
    'creator-world-read',
  );
  data = `${other}-2`;
  expect((await takeover(marathon?.url ?? '', '--dry-run')).stderr).toMatch(/into\s+another\s+state/);
  expect((await candidates()).filter((name) => name.startsWith('mesosup-'))).toHaveLength(1);
  data = other;
  const { exitCode, stderr } = await takeover(marathon?.url ?? '', '--dry-run');
  expect(stderr).toContain('A takeover was interrupted: gave up its leadership');
  expect((await candidates()).filter((name) => name.startsWith('mesosup-'))).toEqual([]);
  expect([0, 1]).toContain(exitCode);
});

it('waits as long as a standby of Marathon may need to follow a leader that was killed', async () => {
  supervises = false;
  for (const { marathon } of instances) await marathon.stop('SIGKILL');
  const start = () =>
    startMarathon({
      master,
      file,
      zk: `zk://marathon:p@${zookeeper.hosts}/standby`,
      // Longer than a Marathon that is restarted needs to answer.
      zkSessionTimeout: 8000,
    });
  await using leader = await start();
  await vi.waitFor(async () => {
    expect(await leader.get('/v2/info')).toHaveProperty('frameworkId');
  }, WITHIN);
  await using standby = await start();
  data = path.join(directory, 'standby');
  const { ended } = await startTakeover(leader.url, data, '--yes', '--wait', '1');
  await leader.stop('SIGKILL');
  const { exitCode, stderr } = await ended;
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/Marathon has stopped; making sure for 18 s that it does not come back/);
  expect(stderr).toMatch(/has not stopped within 1 s: its framework \S+ is still connected/);
  expect(await standby.get('/v2/info')).toHaveProperty('frameworkId');
  expect(await readJournalEvents(data)).toEqual([]);
});
