import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogRecord } from '../docker/log-records.ts';
import { forgetOtherPositions, forgetPosition, OutputWriter } from './output-writer.ts';
import { TaskFiles } from './task-files.ts';

let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mesosup-writer-'));
  directory = path.join(root, 'tasks/a');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const LIMITS = { maxSize: 30, maxFiles: 3 };
const timeOf = (n: number) => `2026-11-29T20:15:00.${String(n).padStart(9, '0')}Z`;

function record(n: number, stream: LogRecord['stream'] = 'stdout'): LogRecord {
  return { stream, time: timeOf(n), bytes: Buffer.from(`line ${String(n).padStart(4, '0')}\n`) };
}

/** A worker that starts, writes what Docker sends, and is gone. @param limits of the files */
async function work(records: readonly LogRecord[], limits = LIMITS): Promise<void> {
  const writer = new OutputWriter(new TaskFiles(root, 'a', false), 'a', { stdout: 0, stderr: 0 }, limits);
  await writer.write(records, writer.filters(undefined));
  writer.close();
}

const read = (name: string) => readFileSync(path.join(directory, name), 'utf8');
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => record(from + i).bytes.toString()).join('');

test('keeps so many files of each stream, and cuts none of them in a line', async () => {
  for (let n = 1; n <= 14; n += 1) await work(Array.from({ length: n }, (_, i) => record(i + 1)));
  expect(readdirSync(directory).sort()).toEqual([
    ...['stderr', 'stderr.times', 'stdout', 'stdout.1', 'stdout.2', 'stdout.times'],
  ]);
  expect([read('stdout.2'), read('stdout.1'), read('stdout')]).toEqual([
    lines(7, 9),
    lines(10, 12),
    lines(13, 14),
  ]);
});

test('writes on in the same file if it can’t rotate, and keeps nothing open', async () => {
  const writer = new OutputWriter(new TaskFiles(root, 'a', false), 'a', { stdout: 0, stderr: 0 }, LIMITS);
  // Stands for a disk without room for a rename.
  for (const name of ['stdout.1', 'stdout.2'])
    mkdirSync(path.join(directory, name, 'x'), { recursive: true });
  const filters = writer.filters(undefined);
  await writer.write([record(1)], filters);
  const open = openFiles();
  for (let n = 2; n <= 20; n += 1) await writer.write([record(n)], filters);
  expect(openFiles()).toEqual(open);
  writer.close();
  expect(read('stdout')).toBe(lines(1, 20));
});

test('removes files beyond a limit that was reduced', async () => {
  const all = Array.from({ length: 16 }, (_, i) => record(i + 1));
  for (let n = 1; n <= 15; n += 1) await work(all.slice(0, n), { maxSize: 30, maxFiles: 9 });
  expect(existsSync(path.join(directory, 'stdout.4'))).toBe(true);
  await work(all);
  expect(readdirSync(directory).filter((name) => name.startsWith('stdout.'))).toEqual([
    ...['stdout.1', 'stdout.2', 'stdout.times'],
  ]);
  expect([read('stdout.2'), read('stdout.1'), read('stdout')]).toEqual([
    ...[lines(10, 12), lines(13, 15), lines(16, 16)],
  ]);
});

test('goes on with a rotation that was interrupted, without a gap in the numbers', async () => {
  const limits = { maxSize: 30, maxFiles: 5 };
  for (let n = 1; n <= 12; n += 1)
    await work(
      Array.from({ length: n }, (_, i) => record(i + 1)),
      limits,
    );
  // The worker was killed between two renames.
  renameSync(path.join(directory, 'stdout.3'), path.join(directory, 'stdout.4'));
  renameSync(path.join(directory, 'stdout.2'), path.join(directory, 'stdout.3'));
  await work(
    Array.from({ length: 13 }, (_, i) => record(i + 1)),
    limits,
  );
  expect(['stdout.4', 'stdout.3', 'stdout.2', 'stdout.1', 'stdout'].map(read)).toEqual([
    ...[lines(1, 3), lines(4, 6), lines(7, 9), lines(10, 12), lines(13, 13)],
  ]);
});

/** The task's files that this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => linkAt(`/proc/self/fd/${fd}`))
    .filter((file) => file.startsWith(directory))
    .sort();
}

function linkAt(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

test('bytes behind the position are those of the next record, also after a rotation', async () => {
  const all = Array.from({ length: 6 }, (_, i) => record(i + 1));
  await work(all.slice(0, 3));
  // The worker was killed after it had written a part of the next record, in front of the position.
  appendFileSync(path.join(directory, 'stdout'), 'line 00');
  await work(all);
  expect([read('stdout.1'), read('stdout')]).toEqual([`${lines(1, 3)}line 00`, `04\n${lines(5, 6)}`]);
  await work(all);
  expect(read('stdout')).toBe(`04\n${lines(5, 6)}`);
});

test('a line marks what Docker has removed, once', async () => {
  await work([record(1), record(1, 'stderr')]);
  const rest = [record(5), record(6), record(1, 'stderr')];
  for (let i = 0; i < 2; i += 1) await work(rest, { maxSize: 10_000, maxFiles: 3 });
  expect(read('stdout')).toMatch(/^line 0001\nmesosup: output is missing here: .*\nline 0005\nline 0006\n$/);
  expect(read('stderr')).toBe('line 0001\n');
});

test('forgets the positions of ended tasks', async () => {
  await work([record(1)]);
  forgetOtherPositions(root, ['a', 'b']);
  expect(readdirSync(path.join(root, 'state'))).toHaveLength(1);
  forgetOtherPositions(root, ['b']);
  expect(readdirSync(path.join(root, 'state'))).toEqual([]);
  await work([record(1)]);
  await forgetPosition(root, 'a');
  expect(readdirSync(path.join(root, 'state'))).toEqual([]);
  expect(existsSync(directory)).toBe(true);
});
