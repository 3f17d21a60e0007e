import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Task } from './domain/state.ts';
import { TaskStore } from './task-store.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mesosup-store-'));
  directory = path.join(root, 'state');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const task = (id: string): Task => ({
  id,
  phase: 'running',
  info: undefined,
  acknowledged: false,
  single: false,
  container: 'c',
  output: { stdout: 1, stderr: 2 },
  addresses: ['172.17.0.2'],
  health: { since: 1, healthy: true, failures: 0, failedAt: undefined },
  kill: { deadline: 5 },
  updates: [{ task_id: { value: id }, state: 'TASK_RUNNING' }],
});
const mapOf = (...tasks: Task[]) => new Map(tasks.map((t) => [t.id, t]));

test('the next worker finds what the last one saved, whatever the ids', () => {
  const tasks = [task('a'), task('../../b'), task('x'.repeat(5000))];
  new TaskStore(directory).save(mapOf(...tasks));
  expect(new TaskStore(directory).load(() => {})).toEqual(mapOf(...tasks));
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

test('what a crash left half written is not read', async () => {
  new TaskStore(directory).save(mapOf(task('a')));
  await writeFile(path.join(directory, 'abc.json.new'), '{"id":');
  const complaints = vi.fn();
  expect([...new TaskStore(directory).load(complaints).keys()]).toEqual(['a']);
  expect(complaints).not.toHaveBeenCalled();
});
