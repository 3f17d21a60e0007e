/**
 * Takes over the framework of a live Marathon, for which a stand-in launches tasks: the same processes keep running and
 * become instances of this scheduler's apps.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readJournalEvents } from '../../src/scheduler/store/journal.ts';
import { docCommand } from '../support/docs.ts';
import { type Marathon, startMarathon } from '../support/marathon/start.ts';
import { master } from './support/mesos.ts';
import { askJson } from './support/programs.ts';
import { MESOSUP, runTakeover, startTakeover, taskProcesses, tearDownStandIn } from './support/takeover.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 40_000, interval: 100 };
const COMMAND = 'sleep 100300';
const APP = { cmd: `exec ${COMMAND}`, cpus: 0.1, mem: 16, taskKillGracePeriodSeconds: 1 };

let directory: string;
let marathon: Marathon;
let scheduler: SchedulerProcess | undefined;
let file: string;
let data: string;

const standIn = () => startMarathon({ master, file, user: 'root', principal: 'marathon' });

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-takeover-'));
  file = path.join(directory, 'marathon.json');
  data = path.join(directory, 'state');
  marathon = await standIn();
});

afterAll(async () => {
  await marathon?.stop('SIGKILL');
  await scheduler?.kill();
  await tearDownStandIn(file);
  await rm(directory, { recursive: true, force: true });
});

const processes = () => taskProcesses(COMMAND);
const takeover = (...args: string[]) => runTakeover(marathon.url, data, ...args);
const waiting = () => startTakeover(marathon.url, data, '--leave', '--yes');

interface Shown {
  id: string;
  appId: string;
  state: string;
  version: string;
  ports: number[];
  host: string;
  slaveId: string;
}

function factsOf({ id, version, ports, host, slaveId }: Shown): string {
  return JSON.stringify({ id, version, ports, host, slaveId });
}

interface Apps {
  apps: { id: string; tasks: Shown[]; deployments: unknown[] }[];
}

async function apps(): Promise<Apps['apps']> {
  const at = new URL((await scheduler?.url()) ?? '').host;
  return (await askJson<Apps>(at, '/v2/apps?embed=apps.tasks')).apps;
}

async function settled(counts: Record<string, number>): Promise<void> {
  await vi.waitFor(async () => {
    const found = await apps();
    const at = new URL((await scheduler?.url()) ?? '').host;
    const { gauges } = await askJson<{ gauges: Record<string, { value: number }> }>(at, '/metrics');
    expect(gauges['mesosup.tasks.unanswered']).toEqual({ value: 0 });
    expect(Object.fromEntries(found.map(({ id, tasks }) => [id, tasks.length]))).toEqual(counts);
    expect(found.flatMap(({ deployments }) => deployments)).toEqual([]);
    const states = found.flatMap(({ tasks }) => tasks.map(({ state }) => state));
    expect(new Set(states)).toEqual(new Set(['TASK_RUNNING']));
  }, WITHIN);
}

async function api(method: string, route: string, body?: unknown): Promise<number> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { 'Content-Type': 'application/json' };
  return (await fetch(`${await scheduler?.url()}${route}`, { method, headers, ...sent })).status;
}

const COUNTS = { '/a': 2, '/group/b': 1, '/old': 1 };

it('a dry run shows the framework, the apps and what can not be taken over, by name', async () => {
  await marathon.app({ ...APP, id: '/a', instances: 2 });
  await marathon.app({ ...APP, id: '/group/b' });
  await marathon.app({ ...APP, id: '/old', labels: { STAND_IN_IDS: 'old' } });
  await marathon.app({ ...APP, id: '/secret', secrets: { pw: { source: 'x' } }, instances: 1 });
  await marathon.post('/v2/pods', { id: '/pod', cmd: APP.cmd });
  await vi.waitFor(() => expect(Object.keys(processes())).toHaveLength(6), WITHIN);
  // The running task of this app is outdated, as after a deployment that was cancelled.
  await marathon.app({ id: '/old', env: { LATER: '1' } });
  // The master has the state of a task a moment after its process has started.
  await vi.waitFor(async () => {
    const documented = docCommand(
      'docs/migrating.md',
      'mesosup scheduler takeover http://marathon.example:8080 --dry-run',
    );
    const command = documented.replace('http://marathon.example:8080', marathon.url);
    expect(command).toMatch(/ --dry-run$/);
    const { exitCode, stdout, stderr } = await takeover('--dry-run');
    const env = { PATH: `${path.dirname(MESOSUP)}:${process.env.PATH}` };
    const typed = await execa(command, { shell: true, env, reject: false });
    expect(typed).toMatchObject({ exitCode, stdout, stderr });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^Framework \S+ \(marathon\): user root, role \*, principal marathon, checkpointing, failover_timeout 604800 s$/m,
    );
    expect(stdout).toMatch(/^ {2}\/a: 2 tasks of 2 instances$/m);
    expect(stdout).toMatch(/^3 apps with 4 tasks can be taken over; no task restarts\.$/m);
    expect(stderr).toMatch(/^ {2}\/secret: uses secrets; running: secret\.instance-\S+$/m);
    expect(stderr).toMatch(/^ {2}\/pod: is a pod; running: pod\.instance-\S+\.ct$/m);
    expect(stderr).toMatch(
      /^The scheduler must be started with --mesos_authentication_principal marathon\.$/m,
    );
  }, WITHIN);
});

it('is refused while the framework is connected, during a deployment, and without a terminal to ask', async () => {
  const connected = await takeover('--leave', '--yes', '--wait', '0');
  expect(connected.exitCode).toBe(1);
  expect(connected.stderr).toMatch(/is still connected to the master\. Nothing was changed\./);

  expect(await takeover('--yes')).toMatchObject({ exitCode: 1 });
  expect(await takeover('--leave')).toMatchObject({ exitCode: 2 });

  await marathon.post('/stand-in', { deployments: [{ id: 'd1', affectedApps: ['/a'] }] });
  const deploying = await takeover('--leave', '--yes');
  expect(deploying.exitCode).toBe(1);
  expect(deploying.stderr).toMatch(/^ {2}\/a: deployment is running in Marathon \(d1\)/m);
  await marathon.post('/stand-in', { deployments: [] });
});

it('a takeover that is killed while it waits has changed nothing', async () => {
  const { ended } = await waiting();
  const other = await takeover('--leave', '--yes');
  expect(other.exitCode).toBe(1);
  expect(other.stderr).toMatch(/is in use by process \d+/);
  ended.kill('SIGKILL');
  await ended;
  expect(await readJournalEvents(data)).toEqual([]);
});

it('takes over all tasks once Marathon has stopped, and keeps their ids and processes', async () => {
  const before = processes();
  const { tasks: shown } = await marathon.get<{ tasks: Shown[] }>('/v2/tasks');
  const { ended } = await waiting();
  await marathon.stop('SIGKILL');
  const { exitCode, stdout, stderr } = await ended;
  expect(exitCode, stderr).toBe(0);
  const needed = '--mesos_authentication_principal marathon';
  expect(stdout).toContain(`${data} now holds 3 apps and 4 tasks of framework `);
  expect(stdout).toContain(`Start the scheduler now, with ${needed}.`);

  const wrong = startScheduler('--master', master, '--data_dir', data);
  expect((await wrong.ended)[0]).toBe(1);
  expect(wrong.said.join()).toContain(`start it with ${needed}`);

  scheduler = startScheduler(
    ...['--master', master, '--data_dir', data, '--reconciliation_initial_delay', '500'],
    ...needed.split(' '),
  );
  await settled(COUNTS);
  const tasks = (await apps()).flatMap((app) => app.tasks);
  expect(tasks.map(factsOf).sort()).toEqual(
    shown
      .filter(({ appId }) => appId !== '/secret')
      .map(factsOf)
      .sort(),
  );
  // Longer than the delay of the reconciliation of all tasks, which also shows those that are left alone.
  await sleep(1500);
  await settled(COUNTS);
  expect(processes()).toEqual(before);
});

it('kills, scales, restarts and updates tasks that Marathon launched', async () => {
  const before = processes();
  const ids = (id: string) => Object.keys(before).filter((task) => task.startsWith(id));
  const [killed = '', kept = ''] = ids('a.');
  expect(await api('DELETE', `/v2/apps/a/tasks/${killed}`)).toBe(200);
  expect(await api('PUT', '/v2/apps/group/b', { instances: 2 })).toBe(200);
  await vi.waitFor(() => expect(Object.keys(processes())).not.toContain(killed), WITHIN);
  await settled({ ...COUNTS, '/group/b': 2 });
  expect(processes()).toMatchObject({ [kept]: before[kept] });
  expect(Object.keys(processes())).toEqual(expect.arrayContaining(ids('group_b.')));

  expect(await api('PUT', '/v2/apps/a', { env: { NEW: '1' } })).toBe(200);
  expect(await api('POST', '/v2/apps/old/restart')).toBe(200);
  await vi.waitFor(
    () => expect(Object.keys(processes())).not.toEqual(expect.arrayContaining([kept])),
    WITHIN,
  );
  await settled({ ...COUNTS, '/group/b': 2 });
  const now = Object.keys(processes());
  for (const gone of [killed, kept, ...ids('old.')]) expect(now).not.toContain(gone);
  expect(now).toEqual(expect.arrayContaining([...ids('secret.'), ...ids('pod.')]));
});

it('Marathon takes the framework back: tasks that it knows continue, all others are replaced by its own', async () => {
  const before = processes();
  scheduler?.child.kill('SIGTERM');
  await scheduler?.ended;
  marathon = await standIn();
  const kept = Object.keys(before).filter((id) => /^(secret|pod)\.|^group_b\./.test(id));
  await vi.waitFor(async () => {
    const { tasks } = await marathon.get<{ tasks: Shown[] }>('/v2/tasks');
    const running = processes();
    expect(Object.keys(running).filter((id) => !id.startsWith('pod.'))).toEqual(
      tasks.map(({ id }) => id).sort(),
    );
    expect(tasks.map(({ appId }) => appId).sort()).toEqual(['/a', '/a', '/group/b', '/old', '/secret']);
    // One of the two of /group/b was launched after the takeover.
    expect(kept.filter((id) => running[id] === before[id])).toHaveLength(kept.length - 1);
  }, WITHIN);

  const second = await takeover('--leave', '--yes');
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toMatch(/holds the state of a takeover already: 3 apps/);
});
