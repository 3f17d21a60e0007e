/** Every release reads the files of release 0.1.0 in sandboxes: see test/fixtures/files-0.1.0/make.mjs. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TaskStore } from './task-store.ts';

const FIXTURE = path.resolve(import.meta.dirname, '../../test/fixtures/files-0.1.0/tasks');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'mesosup-tasks-'));
  cpSync(FIXTURE, directory, { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true }));

function filesIn(where: string): Record<string, Record<string, unknown>> {
  const names = readdirSync(where);
  return Object.fromEntries(
    names.map((name) => [name, JSON.parse(readFileSync(path.join(where, name), 'utf8'))]),
  );
}

test('the tasks of release 0.1.0 are all there, each in its phase', () => {
  const complaints: unknown[] = [];
  const tasks = new TaskStore(directory).load((line) => complaints.push(line));
  expect(complaints).toEqual([]);
  expect([...tasks.values()].map(({ id, phase }) => `${id}: ${phase}`).sort()).toEqual([
    'checked: running',
    'creating: creating',
    'ended: ended',
    'killed: running',
    'preparing: preparing',
    'running: running',
    'starting: starting',
    'unhealthy: running',
  ]);
  expect(tasks.get('running')).toMatchObject({ acknowledged: true, container: 'c-running' });
  expect(tasks.get('killed')?.kill).toEqual({ deadline: 1_005_000 });
  expect(tasks.get('unhealthy')?.health).toMatchObject({ healthy: false, failures: 1 });
  expect(tasks.get('preparing')?.info?.data).toEqual(expect.any(String));
});

test('what is written of them is what 0.1.0 wrote, and the format and release beside it', () => {
  const tasks = new TaskStore(directory).load(() => {});
  const next = path.join(directory, 'next');
  new TaskStore(next).save(tasks);
  const written = filesIn(next);
  const was = filesIn(FIXTURE);
  expect(Object.keys(written)).toEqual(Object.keys(was));
  for (const [name, { format, release, ...task }] of Object.entries(written)) {
    expect(task).toEqual(was[name]);
    expect([format, release]).toEqual([1, expect.any(String)]);
  }
});
