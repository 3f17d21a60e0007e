import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ImageRecords } from './image-records.ts';

let directory: string;
let records: ImageRecords;
const lines: Readonly<Record<string, unknown>>[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'image-records-'));
  records = new ImageRecords(path.join(directory, 'images'), (line) => lines.push(line));
  lines.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

const only = () => {
  const [known, ...rest] = records.list();
  if (!known || rest.length > 0) throw new Error('there is not one record');
  return known;
};

test('a pull is recorded before it begins, and with its id when it is complete', async () => {
  expect(records.list()).toEqual([]);
  await records.use('web:1');
  expect(records.list()).toEqual([]);
  records.pulling('web:1');
  expect(only()).toMatchObject({ image: 'web:1', id: undefined });
  records.pulled('web:1', 'sha256:a');
  expect(only()).toMatchObject({ image: 'web:1', id: 'sha256:a' });
});

test('the image that had the name before is recorded by its id, with the time of its last use', () => {
  vi.useFakeTimers({ now: 1000 });
  records.pulled('web:1', 'sha256:a');
  vi.setSystemTime(2000);
  records.pulled('web:1', 'sha256:b');
  expect(records.list().sort((a, b) => a.lastUsed - b.lastUsed)).toEqual([
    { image: 'sha256:a', id: 'sha256:a', lastUsed: 1000 },
    { image: 'web:1', id: 'sha256:b', lastUsed: 2000 },
  ]);
});

test('an image of a container is written at most once an hour', () => {
  vi.useFakeTimers({ now: 1000 });
  records.pulled('web:1', 'sha256:a');
  records.keep(only(), 3_600_000);
  expect(only().lastUsed).toBe(1000);
  records.keep(only(), 3_602_000);
  expect(only().lastUsed).toBe(3_602_000);
});

test('an interrupted removal is undone later, and then no longer stops a task', async () => {
  records.pulled('web:1', 'sha256:a');
  expect(records.beginRemoval(only())).toBe(true);
  expect(records.list()).toEqual([]);
  vi.useFakeTimers({ now: Date.now() + 130_000 });
  await records.use('web:1');
  expect(only()).toMatchObject({ image: 'web:1', id: 'sha256:a' });
});

test('a failed removal keeps the record, also if a task has written a newer one', () => {
  records.pulled('web:1', 'sha256:a');
  const known = only();
  records.beginRemoval(known);
  records.endRemoval(known, false);
  expect(only()).toEqual(known);
  records.beginRemoval(known);
  records.pulled('web:1', 'sha256:b');
  records.endRemoval(known, false);
  expect(only().id).toBe('sha256:b');
  expect(readdirSync(path.join(directory, 'images'))).toHaveLength(1);
});

test('a record that is damaged or of a later release is ignored, so that its image is kept', () => {
  records.pulled('web:1', 'sha256:a');
  const put = (name: string, content: unknown) =>
    writeFileSync(path.join(directory, 'images', name), JSON.stringify(content));
  put('a.json', { format: 2, release: '9.0.0', image: 'a', id: 'x', lastUsed: 0 });
  put('b.json', { format: 1, image: 'b', id: 1, lastUsed: 0 });
  put('c.json', []);
  expect(only().image).toBe('web:1');
});

test('a directory that can’t be written is logged, and stops no task', async () => {
  writeFileSync(path.join(directory, 'images'), '');
  records.pulling('web:1');
  await records.use('web:1');
  expect(lines).toMatchObject([{ level: 'warning', msg: 'cannot note the use of an image', image: 'web:1' }]);
});
