/**
 * Three schedulers as processes, on a real ZooKeeper, with two embedded masters and an agent that also use it. After each
 * kill, stop or network failure, the same tasks keep running, once each.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  describeEmbedded,
  type Embedded,
  gone,
  restartEmbedded,
  startEmbedded,
  stopEmbedded,
} from './support/embedded.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 40_000, interval: 50 };
const AUTHORIZATION = `Basic ${Buffer.from('me:pw').toString('base64')}`;

let directory: string;
let zookeeper: Ensemble;
let masters: Embedded[];
let schedulers: SchedulerProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'schedulers-'));
  zookeeper = await startZooKeeper(1);
  const mesos = `zk://mesos:pw@${zookeeper.hosts}/mesos`;
  const [a, b] = await Promise.all(['a', 'b'].map((name) => describeEmbedded(join(directory, name))));
  if (!a || !b) throw new Error('no masters');
  masters = [a, b];
  for (const master of masters) {
    master.masterFlags = [`--zk=${mesos}`, '--quorum=1'];
    await startEmbedded(master, 'master');
  }
  await startEmbedded({ ...a, master: mesos }, 'agent');

  await writeFile(join(directory, 'zk'), `zk://mesosup:p/w@${zookeeper.hosts}/mesosup\n`, { mode: 0o600 });
  await writeFile(join(directory, 'mesos'), `${mesos}\n`, { mode: 0o600 });
  await writeFile(join(directory, 'http'), 'me:pw', { mode: 0o600 });
  await writeFile(join(directory, 'users'), '[viewer]\nvera:v', { mode: 0o600 });
  schedulers = [start(), start(), start()];
  await Promise.all(schedulers.map((scheduler) => scheduler.url()));
});

afterAll(async () => {
  await Promise.all(schedulers.map((scheduler) => scheduler.kill()));
  for (const master of masters ?? []) await stopEmbedded(master);
  await zookeeper?.stop();
  await rm(directory, { recursive: true, force: true });
});

function start(): SchedulerProcess {
  const file = (flag: string, name: string) => [`--${flag}`, `file://${join(directory, name)}`];
  return startScheduler(
    ...file('zk', 'zk'),
    ...file('master', 'mesos'),
    ...['--http_credentials_file', join(directory, 'http')],
    ...['--http_users_file', join(directory, 'users')],
    ...['--mesos_user', userInfo().username],
    ...['--reconciliation_initial_delay', '100'],
  );
}

interface Answer {
  status: number;
  body: string;
}

async function ask(scheduler: SchedulerProcess, path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { Authorization: AUTHORIZATION, ...init.headers };
  const response = await fetch((await scheduler.url()) + path, { ...init, headers });
  return { status: response.status, body: await response.text() };
}

function post(scheduler: SchedulerProcess, path: string, body: unknown): Promise<Answer> {
  return ask(scheduler, path, { method: 'POST', body: JSON.stringify(body) });
}

/** Waits until all running schedulers report the same leader, and the leader answers. */
async function leader(): Promise<SchedulerProcess> {
  return vi.waitFor(async () => {
    const up = schedulers.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    const answers = await Promise.all(up.map((scheduler) => ask(scheduler, '/v2/leader')));
    const [first] = answers;
    expect(answers.every(({ status, body }) => status === 200 && body === first?.body)).toBe(true);
    const { leader: address } = JSON.parse(first?.body ?? '{}') as { leader: string };
    for (const scheduler of up) if ((await scheduler.url()) === `http://${address}`) return scheduler;
    throw new Error(`${address} is not up`);
  }, WITHIN);
}

async function followers(): Promise<SchedulerProcess[]> {
  const leading = await leader();
  return schedulers.filter((scheduler) => scheduler !== leading && scheduler.child.exitCode === null);
}

interface Task {
  id: string;
  state: string;
}

interface MasterState {
  frameworks: { tasks: Task[] }[];
}

/** Finds the leading master and its state; other masters redirect to it. */
async function leadingMaster(): Promise<{ master: Embedded; state: MasterState }> {
  for (const master of masters) {
    const response = await fetch(`http://${master.master}/state`, { redirect: 'manual' }).catch(() => null);
    if (response?.status === 200) return { master, state: (await response.json()) as MasterState };
  }
  throw new Error('no master leads');
}

async function tasksOnMesos(): Promise<Task[]> {
  const { frameworks } = (await leadingMaster()).state;
  expect(frameworks).toHaveLength(1);
  return frameworks.flatMap(({ tasks }) => tasks).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Waits until the given number of tasks runs and the leader has reconciled them. @returns their ids */
async function running(count: number): Promise<string[]> {
  const scheduler = await leader();
  return vi.waitFor(async () => {
    const { gauges } = JSON.parse((await ask(scheduler, '/metrics')).body);
    expect(gauges).toMatchObject({
      'mesosup.connected': { value: 1 },
      'mesosup.tasks': { value: count },
      'mesosup.tasks.unanswered': { value: 0 },
    });
    const tasks = await tasksOnMesos();
    expect(tasks.map(({ state }) => state)).toEqual(Array(count).fill('TASK_RUNNING'));
    return tasks.map(({ id }) => id);
  }, WITHIN);
}

it('forwards authorized requests from each scheduler to the leader', async () => {
  const leading = await leader();
  const [follower] = await followers();
  if (!follower) throw new Error('no scheduler follows');
  for (const scheduler of schedulers) {
    expect(await (await fetch(`${await scheduler.url()}/ping`)).text()).toBe('pong');
    expect((await ask(scheduler, '/v1/apps', { headers: { Authorization: 'Basic eDp5' } })).status).toBe(401);
    const { body } = await ask(scheduler, '/v2/info');
    expect(JSON.parse(body)).toMatchObject({
      leader: new URL(await leading.url()).host,
      elected: true,
      marathon_config: { master: `zk://mesos:***@${zookeeper.hosts}/mesos` },
      zookeeper_config: { zk: `zk://mesosup:***@${zookeeper.hosts}/mesosup` },
    });
  }
  // The leader refuses pages of other sites, but accepts the follower's origin, which differs from its own.
  const foreign = await post(follower, '/v1/apps/start', {});
  expect(foreign.status).toBe(422);
  const origin = { method: 'POST', body: '{}', headers: { Origin: 'http://elsewhere.example' } };
  expect((await ask(follower, '/v1/apps/start', origin)).status).toBe(403);
  const same = { ...origin, headers: { Origin: await follower.url() } };
  expect((await ask(follower, '/v1/apps/start', same)).status).toBe(422);
  // The leader knows a viewer behind a follower, too.
  const viewer = { Authorization: `Basic ${Buffer.from('vera:v').toString('base64')}` };
  expect((await ask(follower, '/v2/apps', { headers: viewer })).status).toBe(200);
  expect((await ask(follower, '/v2/groups', { method: 'DELETE', headers: viewer })).status).toBe(403);
  // A forwarded request is not forwarded again.
  expect(await ask(follower, '/v1/apps', { headers: { 'X-Marathon-Via': 'x:1' } })).toMatchObject({
    status: 503,
    body: expect.stringContaining('disagree about their leader'),
  });
});

it('accepts an app at a follower, which redirects event streams to the leader', async () => {
  const [follower] = await followers();
  if (!follower) throw new Error('no scheduler follows');
  const stopped = new AbortController();
  const asked = `${await follower.url()}/v2/events?event_type=status_update_event`;
  const answer = await fetch(asked, { redirect: 'manual' });
  expect(answer.status).toBe(302);
  const location = answer.headers.get('location') ?? '';
  expect(location).toBe(`${await (await leader()).url()}/v2/events?event_type=status_update_event`);
  const events = await fetch(location, {
    headers: { Authorization: AUTHORIZATION },
    signal: stopped.signal,
  });
  expect(events.headers.get('content-type')).toMatch(/text\/event-stream/);
  const app = { id: 'x', cmd: 'sleep 600', instances: 2, cpus: 0.1, mem: 32 };
  expect((await post(follower, '/v1/apps/start', app)).status).toBe(204);
  let heard = '';
  for await (const chunk of events.body ?? []) {
    heard += Buffer.from(chunk).toString();
    if (heard.includes('TASK_RUNNING')) break;
  }
  stopped.abort();
  const [task = ''] = await running(2);
  const log = `/v2/tasks/${task}/log?stream=stderr`;
  expect((await ask(follower, log)).status).toBe(200);
  expect((await ask(follower, `${log}&follow=x`)).status).toBe(400);
  expect((await ask(follower, log, { headers: { Authorization: 'Basic eDp5' } })).status).toBe(401);
  const vera = { Authorization: `Basic ${Buffer.from('vera:v').toString('base64')}` };
  expect((await ask(follower, log, { headers: vera })).status).toBe(200);
  expect((await ask(follower, `/v2/tasks/${task}/files`, { headers: vera })).status).toBe(403);
  const listed = await ask(follower, `/v2/tasks/${task}/files`);
  expect([listed.status, JSON.parse(listed.body).entries]).toEqual([
    200,
    expect.arrayContaining([expect.objectContaining({ name: 'stdout', type: 'file' })]),
  ]);
});

it('names all masters and schedulers at every scheduler', async () => {
  const leading = await leader();
  const [follower] = await followers();
  if (!follower) throw new Error('no scheduler follows');
  const { body } = await ask(follower, '/v2/info?embed=masters&embed=schedulers');
  const { masters: found, schedulers: named } = JSON.parse(body) as {
    masters: { address: string; leads: boolean; version: string }[];
    schedulers: { leads: boolean; urls: string[] }[];
  };
  const { master } = await leadingMaster();
  expect(new Set(found.map(({ address }) => address))).toEqual(new Set(masters.map((one) => one.master)));
  expect(found.filter(({ leads }) => leads).map(({ address }) => address)).toEqual([master.master]);
  expect(found.every(({ version }) => /^1\.\d+/.test(version))).toBe(true);
  const urls = await Promise.all(schedulers.map((one) => one.url()));
  expect(new Set(named.flatMap((one) => one.urls))).toEqual(new Set(urls));
  expect(named.filter(({ leads }) => leads).flatMap((one) => one.urls)).toEqual([await leading.url()]);
});

it('continues with another leader when the leader is killed', async () => {
  const before = await running(2);
  const killed = await leader();
  await killed.kill();
  expect(await running(2)).toEqual(before);
  const now = await leader();
  expect(now).not.toBe(killed);
  expect((await post(now, '/v1/apps/scale', { id: 'x', instances: 3 })).status).toBe(204);
  expect(await running(3)).toEqual(expect.arrayContaining(before));
  schedulers = [...schedulers.filter((scheduler) => scheduler !== killed), start()];
});

it('ends a leader that was frozen beyond its session, before it acts', async () => {
  const before = await running(3);
  const stopped = await leader();
  stopped.child.kill('SIGSTOP');
  schedulers = schedulers.filter((scheduler) => scheduler !== stopped);
  try {
    expect(await running(3)).toEqual(before);
    const said = stopped.said.length;
    stopped.child.kill('SIGCONT');
    expect(await stopped.ended).toEqual([1, null]);
    const since = stopped.said.slice(said).join('\n');
    expect(since).toMatch(/this scheduler is no longer the leader|the state could not be stored/);
    expect(since).not.toContain('subscribed to the master');
  } finally {
    await stopped.kill();
  }
  expect(await running(3)).toEqual(before);
  schedulers.push(start());
});

it('hands over immediately when the leader is stopped', async () => {
  const before = await running(3);
  const stopped = await leader();
  stopped.child.kill('SIGTERM');
  expect(await stopped.ended).toEqual([0, null]);
  schedulers = [...schedulers.filter((scheduler) => scheduler !== stopped), start()];
  expect(await running(3)).toEqual(before);
});

it('hands over immediately when a client requests it at a follower', async () => {
  const before = await running(3);
  const abdicating = await leader();
  const [follower] = await followers();
  if (!follower) throw new Error('no scheduler follows');
  const answer = await ask(follower, '/v2/leader', { method: 'DELETE' });
  expect([answer.status, answer.body]).toEqual([200, '{"message":"Leadership abdicated"}']);
  // With this exit code, its service manager starts it again.
  expect(await abdicating.ended).toEqual([1, null]);
  expect(abdicating.said.join('\n')).toContain('no longer the leader: it was asked to abdicate');
  schedulers = [...schedulers.filter((scheduler) => scheduler !== abdicating), start()];
  expect(await running(3)).toEqual(before);
  expect(await leader()).not.toBe(abdicating);
});

it('finds the other master when the leading one is killed', async () => {
  const before = await running(3);
  await restartEmbedded((await leadingMaster()).master, 'master');
  expect(await running(3)).toEqual(before);
});

it('leaves a silent master as soon as another master leads', async () => {
  const before = await running(3);
  const { master: stopped } = await leadingMaster();
  const pid = Number(await readFile(join(stopped.directory, 'master.pid'), 'utf8'));
  process.kill(pid, 'SIGSTOP');
  masters = masters.filter((master) => master !== stopped);
  try {
    // Detection by missed heartbeats would exceed this timeout.
    expect(await running(3)).toEqual(before);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await gone(pid);
  await startEmbedded(stopped, 'master');
  masters.push(stopped);
});

it('keeps the tasks unchanged without ZooKeeper, and manages them again afterwards', async () => {
  const before = await running(3);
  const leading = await leader();
  const [follower] = await followers();
  if (!follower) throw new Error('no scheduler follows');
  await zookeeper.processes[0].kill('SIGKILL');
  expect(await leading.ended).toEqual([1, null]);
  expect(leading.said.at(-1)).toMatch(/this scheduler is no longer the leader|the state could not be stored/);
  await vi.waitFor(async () => {
    expect(await ask(follower, '/v2/leader')).toMatchObject({ status: 404 });
  }, WITHIN);
  expect(await ask(follower, '/v1/apps')).toEqual({
    status: 503,
    body: expect.stringContaining('There is no leading scheduler'),
  });
  expect(await (await fetch(`${await follower.url()}/ping`)).text()).toBe('pong');
  expect(follower.child.exitCode).toBeNull();

  await zookeeper.processes[0].start();
  await zookeeper.ready();
  schedulers = schedulers.filter((scheduler) => scheduler !== leading);
  // The former leading master has ended as well; the other master continues.
  expect(await running(3)).toEqual(before);
});
