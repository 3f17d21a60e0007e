/**
 * Backup and restore of a scheduler that runs tasks: with its state in a directory, in a real ZooKeeper, and from one to
 * the other. The same processes keep running, each exactly once.
 */

import { readFileSync } from 'node:fs';
import { chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { childPath } from '../../src/zookeeper/address.ts';
import type { ZooKeeperSession } from '../../src/zookeeper/client.ts';
import { openZooKeeper } from '../../src/zookeeper/session.ts';
import { docCommand } from '../support/docs.ts';
import { ask, askJson, Programs, processesOf } from './support/programs.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const MESOSUP = path.resolve(import.meta.dirname, '../../bin/mesosup');
const WITHIN = { timeout: 40_000, interval: 100 };
const APP = { cmd: 'exec sleep 100200', cpus: 0.1, mem: 16, taskKillGracePeriodSeconds: 1 };

let programs: Programs;
let master: string;
let zookeeper: Ensemble;
let session: ZooKeeperSession;
let scheduler: SchedulerProcess;
let data: string;
let zk: string;

beforeAll(async () => {
  programs = new Programs();
  zookeeper = await startZooKeeper(1);
  master = (await programs.master()).address;
  await programs.agent(master);
  data = path.join(programs.directory, 'state');
  const address = `zk://mesosup:p/w@${zookeeper.hosts}/mesosup`;
  zk = `file://${programs.secret('zk', `${address}\n`)}`;
  session = await openZooKeeper({ servers: zookeeper.servers, credentials: 'mesosup:p/w', timeoutMs: 4000 });
});

afterAll(async () => {
  await scheduler?.kill();
  await session?.close();
  await zookeeper?.stop();
  await programs?.[Symbol.asyncDispose]();
});

type Store = 'directory' | 'zookeeper';

function flags(store: Store, name: string): string[] {
  return store === 'directory' ? [`--${name}`, data] : ['--zk', zk];
}

function start(store: Store): SchedulerProcess {
  scheduler = startScheduler(
    ...['--master', master, '--framework_name', 'saved', '--reconciliation_initial_delay', '500'],
    ...flags(store, 'data_dir'),
  );
  return scheduler;
}

/** Kills the scheduler, as init systems do in the worst case. One of several stays a candidate until its session ends. */
async function end(store: Store): Promise<void> {
  if (store === 'directory') await scheduler.kill();
  else {
    scheduler.child.kill('SIGTERM');
    await scheduler.ended;
  }
}

async function run(command: 'backup' | 'restore', ...args: string[]) {
  const done = await execa(MESOSUP, ['scheduler', command, ...args], { reject: false, stdin: 'ignore' });
  return { code: done.exitCode, stdout: done.stdout, stderr: done.stderr };
}

const file = (name: string) => path.join(programs.directory, name);

async function api(method: string, route: string, body?: unknown): Promise<number> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { 'Content-Type': 'application/json' };
  return (await fetch(`${await scheduler.url()}${route}`, { method, headers, ...sent })).status;
}

/** @returns the processes of tasks by task id */
function processes(): Record<string, number> {
  return Object.fromEntries(
    processesOf(programs.directory)
      .filter(({ commandLine }) => commandLine.startsWith('sleep 100200'))
      .map(({ pid }) => [taskOf(pid), pid] as const)
      .sort(),
  );
}

function taskOf(pid: number): string {
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
  return /MESOS_TASK_ID=([^\0]+)/.exec(environment)?.[1] ?? '';
}

interface Apps {
  apps: { id: string; instances: number; tasks: { id: string; state: string }[]; deployments: unknown[] }[];
}

/** Waits until everything is at rest and consistent. @returns the processes by task id */
async function settled(counts: Record<string, number>): Promise<Record<string, number>> {
  const at = new URL(await scheduler.url()).host;
  return vi.waitFor(async () => {
    const { apps } = await askJson<Apps>(at, '/v2/apps?embed=apps.tasks');
    const { gauges } = await askJson<{ gauges: Record<string, { value: number }> }>(at, '/metrics');
    expect(gauges['mesosup.tasks.unanswered']).toEqual({ value: 0 });
    expect(Object.fromEntries(apps.map(({ id, tasks }) => [id, tasks.length]))).toEqual(counts);
    expect(apps.flatMap(({ deployments }) => deployments)).toEqual([]);
    const tasks = apps.flatMap((app) => app.tasks);
    expect(new Set(tasks.map(({ state }) => state))).toEqual(new Set(['TASK_RUNNING']));
    const seen = processes();
    expect(Object.keys(seen)).toEqual(tasks.map(({ id }) => id).sort());
    return seen;
  }, WITHIN);
}

/** @returns the definitions as `GET` shows them, without the state of tasks */
async function definitions(): Promise<unknown> {
  const { apps } = await askJson<Apps>(new URL(await scheduler.url()).host, '/v2/apps');
  return apps;
}

async function wipe(store: Store): Promise<void> {
  if (store === 'directory') await rm(data, { recursive: true });
  else await remove('/mesosup');
}

async function remove(at: string): Promise<void> {
  for (const name of (await session.children(at)) ?? []) await remove(childPath(at, name));
  await session.delete(at);
}

const COUNTS = { '/a': 3, '/group/b': 2 };

it('apps and tasks are running on a single scheduler', async () => {
  start('directory');
  expect(await api('POST', '/v2/apps', { ...APP, id: '/a', instances: 1 })).toBe(201);
  expect(await api('PUT', '/v2/groups/group', { apps: [{ ...APP, id: 'b', instances: 2 }] })).toBe(200);
  await settled({ '/a': 1, '/group/b': 2 });
  expect(await api('PUT', '/v2/apps/a', { instances: 3 })).toBe(200);
  await settled(COUNTS);
});

it.each<[Store, Store]>([
  ['directory', 'directory'],
  ['directory', 'zookeeper'],
  ['zookeeper', 'zookeeper'],
  ['zookeeper', 'directory'],
])('a backup of %s restored to %s keeps the same tasks running', async (from, to) => {
  const before = await settled(COUNTS);
  const shown = await definitions();
  const saved = file(`${from}-${to}`);
  const taken = await run('backup', saved, ...flags(from, 'data-dir'), '--json');
  expect(taken.stderr).toBe('');
  const { frameworkId, ...counted } = JSON.parse(taken.stdout);
  expect(counted).toMatchObject({ file: saved, apps: 2, tasks: 5, groups: 1, deployments: 0 });
  expect(taken.stdout).not.toContain('p/w');
  expect((await stat(saved)).mode & 0o777).toBe(0o600);
  // The backup was made while the scheduler was running, which continues.
  expect(await settled(COUNTS)).toEqual(before);

  await end(from);
  await wipe(from);
  const restored = await run('restore', saved, ...flags(to, 'data-dir'));
  expect(restored).toMatchObject({ code: 0, stderr: '' });
  expect(restored.stdout).toContain(
    `holds 2 apps, 5 tasks and 1 group of framework ${frameworkId}, restored `,
  );
  start(to);
  expect(await settled(COUNTS)).toEqual(before);
  expect(await definitions()).toEqual(shown);
  // Longer than the delay of the reconciliation, and the time for its answers.
  await sleep(1500);
  expect(await settled(COUNTS)).toEqual(before);
  const { frameworks } = await askJson<{ frameworks: { id: string }[] }>(master, '/state');
  expect(frameworks.map(({ id }) => id)).toEqual([frameworkId]);
});

it('refuses to restore over a running scheduler, even with --force', async () => {
  const before = await settled(COUNTS);
  const saved = file('directory-directory');
  const refused = await run('restore', saved, '--data-dir', data, '--force');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    new RegExp(`^${data} is in use by process ${scheduler.child.pid}: stop that process`),
  );
  expect(await settled(COUNTS)).toEqual(before);

  const other = startScheduler('--master', master, '--zk', zk);
  try {
    const at = new URL(await other.url()).host;
    await vi.waitFor(() => expect(other.said.join()).toContain('this scheduler leads'), WITHIN);
    const inUse = await run('restore', saved, '--zk', zk, '--force', '--json');
    expect(inUse.code).toBe(1);
    const { error } = JSON.parse(inUse.stdout);
    expect(error.message).toMatch(
      new RegExp(`/mesosup is in use by the scheduler at ${at}: stop all of them`),
    );
    expect(error.message).not.toContain('p/w');
  } finally {
    other.child.kill('SIGTERM');
    await other.ended;
  }
});

it('restores an older state: kills newer tasks, replaces ended ones, changes nothing else', async () => {
  const before = await settled(COUNTS);
  const saved = file('older');
  expect(await run('backup', saved, '--data-dir', data)).toMatchObject({ code: 0 });
  expect(await api('POST', '/v2/apps', { ...APP, id: '/later', instances: 2 })).toBe(201);
  await settled({ ...COUNTS, '/later': 2 });
  const [victim = ''] = Object.keys(before).filter((id) => id.startsWith('a.'));
  process.kill(before[victim] ?? 0, 'SIGKILL');
  const now = await vi.waitFor(async () => {
    const seen = await settled({ ...COUNTS, '/later': 2 });
    expect(seen).not.toHaveProperty([victim]);
    return seen;
  }, WITHIN);
  await end('directory');

  const refused = await run('restore', saved, '--data-dir', data);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/is not empty: it holds 3 apps, 7 tasks and 1 group of framework .*--force/);
  expect(await run('restore', saved, '--data-dir', data, '--force')).toMatchObject({ code: 0, stderr: '' });
  start('directory');
  const after = await settled(COUNTS);
  const kept = Object.keys(before).filter((id) => id !== victim);
  for (const id of kept) expect(after[id]).toBe(now[id]);
  expect(after).not.toHaveProperty([victim]);
});

it('names the working remedy for a cluster that has removed the framework', async () => {
  const saved = file('orphaned');
  await run('backup', saved, '--data-dir', data);
  const { frameworkId } = JSON.parse((await readFile(saved, 'utf8')).split('\n')[0] ?? '');
  await end('directory');
  const answer = await ask(master, '/master/teardown', { body: `frameworkId=${frameworkId}` });
  expect(answer.status).toBe(200);
  await vi.waitFor(() => expect(processes()).toEqual({}), WITHIN);
  start('directory');
  expect(await scheduler.ended).toEqual([1, null]);
  expect(scheduler.said.at(-1)).toContain('mesosup scheduler restore FILE --force --new-framework');

  const restored = await run('restore', saved, '--data-dir', data, '--force', '--new-framework', '--json');
  expect(restored.code).toBe(0);
  expect(JSON.parse(restored.stdout)).toMatchObject({ apps: 2, tasks: 0, groups: 1 });
  expect(JSON.parse(restored.stdout)).not.toHaveProperty('frameworkId');
  start('directory');
  expect(Object.keys(await settled(COUNTS))).toHaveLength(5);
});

it('refuses damaged backups and other files without a change', async () => {
  const whole = await readFile(file('older'), 'utf8');
  const target = path.join(programs.directory, 'untouched');
  const cases = {
    'no-backup': ['hello\n', /is not a scheduler backup/],
    short: [whole.slice(0, whole.length / 2), /is truncated/],
    changed: [whole.replace('"instances":3', '"instances":4'), /is damaged/],
    newer: [
      whole.replace('"version":1', '"version":2'),
      /restore it with the release of mesosup that made it/,
    ],
  } as const;
  for (const [name, [text, says]] of Object.entries(cases)) {
    await writeFile(file(name), text);
    const refused = await run('restore', file(name), '--data-dir', target);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(says) });
  }
  await expect(stat(target)).rejects.toThrow('ENOENT');
});

it('reports wrong usage with the remedy', async () => {
  const saved = file('older');
  const foreign = `file://${programs.secret('foreign', `zk://mallory:x@${zookeeper.hosts}/mesosup`)}`;
  const nowhere = `file://${programs.secret('nowhere', `zk://mesosup:p/w@${zookeeper.hosts}/elsewhere`)}`;
  const empty = path.join(programs.directory, 'empty');
  await mkdir(empty, { recursive: true });
  const cases: [number, RegExp, ...Parameters<typeof run>][] = [
    [1, /older already exists: choose another/, 'backup', saved, '--data-dir', data],
    [1, /empty contains no scheduler state/, 'backup', file('x'), '--data-dir', empty],
    [1, /contains no scheduler state/, 'backup', file('x'), '--zk', nowhere],
    [1, /belongs to another identity/, 'backup', file('x'), '--zk', foreign],
    [
      2,
      /which would be visible in the process list/,
      'backup',
      file('x'),
      '--zk',
      `zk://a:b@${zookeeper.hosts}/mesosup`,
    ],
    [2, /--zk and --data-dir are both set/, 'backup', file('x'), '--zk', zk, '--data-dir', data],
    [2, /name a file/, 'backup', '-', '--data-dir', data, '--json'],
    [2, /missing can't be read: there is no such file/, 'restore', file('missing'), '--data-dir', empty],
  ];
  for (const [code, says, ...command] of cases) {
    const { code: ended, stdout, stderr } = await run(...command);
    expect(stdout + stderr).toMatch(says);
    expect(ended).toBe(code);
  }
  expect(await readdir(empty)).toEqual([]);
});

it('pipes a backup, and restores files of the scheduler’s user as root', async () => {
  const target = path.join(programs.directory, 'owned');
  await mkdir(target, { mode: 0o700 });
  const owner = process.getuid?.() === 0 ? 65_534 : (process.getuid?.() ?? 0);
  await chown(target, owner, process.getuid?.() === 0 ? 65_534 : (process.getgid?.() ?? 0));
  // The parent directories are private to the test.
  const { mode } = await stat(programs.directory);
  await execa('chmod', ['o+x', programs.directory]);
  const piped = await execa({
    shell: true,
    reject: false,
  })`${MESOSUP} scheduler backup - --data-dir ${data} | ${MESOSUP} scheduler restore - --data-dir ${target}`;
  await execa('chmod', [(mode & 0o777).toString(8), programs.directory]);
  expect(piped.stderr).toBe('');
  expect(piped.stdout).toContain('holds 2 apps, 5 tasks');
  const [journal = ''] = await readdir(target);
  expect(await readdir(target)).toHaveLength(1);
  expect(await stat(path.join(target, journal))).toMatchObject({ uid: owner });
});

it('works as documented', async () => {
  const env = { PATH: `${path.dirname(MESOSUP)}:${process.env.PATH}`, MARATHON_DATA_DIR: data };
  const shell = { shell: true, cwd: programs.directory, env, reject: false } as const;
  const taken = await execa(docCommand('docs/operations.md', 'mesosup scheduler backup'), shell);
  expect(taken).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^state\.backup: 2 apps, 5 tasks/),
  });
  const before = await settled(COUNTS);
  await end('directory');
  await wipe('directory');
  const restored = await execa(docCommand('docs/operations.md', 'mesosup scheduler restore'), shell);
  expect(restored).toMatchObject({ exitCode: 0, stderr: '' });
  start('directory');
  expect(await settled(COUNTS)).toEqual(before);
});
