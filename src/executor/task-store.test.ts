import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RELEASE } from '../release.ts';
import type { Task } from './domain/executor-state.ts';
import { unknownTask } from './domain/tasks.ts';
import { taskText } from './stored-task.ts';
import { TaskStore } from './task-store.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mesosup-store-'));
  directory = path.join(root, 'state');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const networks = [{ ip_addresses: [{ protocol: 'IPv4' as const, ip_address: '172.17.0.2' }] }];

const task = (id: string): Task => ({
  id,
  phase: 'running',
  info: undefined,
  acknowledged: false,
  single: false,
  container: 'c',
  output: { stdout: 1, stderr: 2 },
  networks,
  health: { since: 1, healthy: true, failures: 0, failedAt: undefined },
  kill: { deadline: 5 },
  updates: [{ task_id: { value: id }, state: 'TASK_RUNNING' }],
});
/** The content of a task's file. */
const stored = (one: Task): Record<string, unknown> => JSON.parse(taskText(one)) as Record<string, unknown>;
const mapOf = (...tasks: Task[]) => new Map(tasks.map((t) => [t.id, t]));

test('the next worker loads the saved tasks, with any ids', () => {
  const tasks = [task('a'), task('../../b'), task('x'.repeat(5000))];
  new TaskStore(directory).save(mapOf(...tasks));
  expect(new TaskStore(directory).load(() => {})).toEqual(mapOf(...tasks));
});

test('networks are stored as addresses only, which release 0.1.0 can read', () => {
  const named = [{ name: 'n', ip_addresses: [{ protocol: 'IPv6' as const, ip_address: 'fd00::2' }] }];
  new TaskStore(directory).save(mapOf({ ...task('a'), networks: named }));
  expect(stored({ ...task('a'), networks: named })).toMatchObject({ addresses: ['fd00::2'] });
  expect(new TaskStore(directory).load(() => {}).get('a')?.networks).toEqual([
    { ip_addresses: [{ protocol: 'IPv6', ip_address: 'fd00::2' }] },
  ]);
});

test('tasks that are forgotten lose their file, also those of the last worker', async () => {
  new TaskStore(directory).save(mapOf(task('a'), task('b')));
  const next = new TaskStore(directory);
  next.load(() => {});
  next.save(mapOf(task('b')));
  expect(await readdir(directory)).toHaveLength(1);
  expect([...new TaskStore(directory).load(() => {}).keys()]).toEqual(['b']);
});

test('only the owner may read', async () => {
  new TaskStore(directory).save(mapOf(task('a')));
  const [file = ''] = await readdir(directory);
  expect((await stat(path.join(directory, file))).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

test('a task that did not change is not written', async () => {
  const store = new TaskStore(directory);
  const same = task('a');
  store.save(mapOf(same));
  const [file = ''] = await readdir(directory);
  await writeFile(path.join(directory, file), 'untouched');
  store.save(mapOf(same, task('b')));
  const complaints = vi.fn();
  expect([...new TaskStore(directory).load(complaints).keys()]).toEqual(['b']);
  expect(complaints).toHaveBeenCalledWith(expect.objectContaining({ msg: expect.stringContaining(file) }));
});

test('a file that a crash left incomplete is not read', async () => {
  new TaskStore(directory).save(mapOf(task('a')));
  await writeFile(path.join(directory, 'abc.json.new'), '{"id":');
  const complaints = vi.fn();
  expect([...new TaskStore(directory).load(complaints).keys()]).toEqual(['a']);
  expect(complaints).not.toHaveBeenCalled();
});

describe('a file of a later release', () => {
  const later = JSON.stringify({ format: 2, release: '0.7.0', id: 'a', stage: 'paused' });
  const fieldOfLater = JSON.stringify({ ...stored(task('a')), release: '0.7.0', paused: true });

  async function loaded(text: string) {
    new TaskStore(directory).save(mapOf(task('a')));
    const [name = ''] = await readdir(directory);
    const file = path.join(directory, name);
    await writeFile(file, text);
    const store = new TaskStore(directory);
    const log = vi.fn();
    return { file, store, log, tasks: store.load(log) };
  }

  test.each([
    ['of a later format', later, `it has format 2, and mesosup ${RELEASE} reads format 1`],
    ['with a field in use', fieldOfLater, `mesosup ${RELEASE} can't read it, its field "paused" is unknown`],
  ])('%s is logged with its name, and its task continues', async (_title, text, why) => {
    const { file, store, log, tasks } = await loaded(text);
    expect(log.mock.calls).toEqual([
      [
        {
          level: 'error',
          msg: `${file} can't be read`,
          error: `${why}: run mesosup 0.7.0, which wrote it, or a later release`,
          task: 'a',
        },
      ],
    ]);
    expect([...tasks]).toEqual([['a', unknownTask('a')]]);
    expect(store.isIncomplete).toBe(true);
  });

  test('is not overwritten while its task lives, and is removed with it', async () => {
    const { file, store } = await loaded(later);
    const adopted = { ...unknownTask('a'), container: 'c' };
    store.save(mapOf(adopted, task('b')));
    store.save(mapOf({ ...adopted, networks }, task('b')));
    expect(await readFile(file, 'utf8')).toBe(later);
    store.save(mapOf(task('b')));
    expect([...new TaskStore(directory).load(() => {}).keys()]).toEqual(['b']);
  });

  test('without a readable id is ignored, and its task is found by its container', async () => {
    const { file, store, tasks } = await loaded('{"format":2,"task":{"id":"a"}}');
    expect(tasks.size).toBe(0);
    expect(store.isIncomplete).toBe(true);
    store.save(mapOf(unknownTask('a')));
    expect(await readFile(file, 'utf8')).toBe('{"format":2,"task":{"id":"a"}}');
  });
});

test('an empty field of a later release is accepted', async () => {
  new TaskStore(directory).save(mapOf(task('a')));
  const [name = ''] = await readdir(directory);
  const text = JSON.stringify({ ...stored(task('a')), release: '0.7.0', paused: false, mounts: [] });
  await writeFile(path.join(directory, name), text);
  expect(new TaskStore(directory).load(() => {})).toEqual(mapOf(task('a')));
});

test('a damaged file is logged, and overwritten by the next save', async () => {
  new TaskStore(directory).save(mapOf(task('a')));
  const [name = ''] = await readdir(directory);
  await writeFile(path.join(directory, name), '{"id":"a","phase":"dancing"}');
  const store = new TaskStore(directory);
  const log = vi.fn();
  expect(store.load(log).size).toBe(0);
  expect(log.mock.calls[0]?.[0]).toMatchObject({
    error: 'it is damaged: its field "phase" has an unknown value',
  });
  expect(store.isIncomplete).toBe(true);
  store.save(mapOf(unknownTask('a')));
  expect(new TaskStore(directory).load(() => {})).toEqual(mapOf(unknownTask('a')));
});
