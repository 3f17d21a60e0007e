import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { logDirectory, readLog, retained } from '../../../test/scheduler/log-directory.ts';
import type { LogRecord } from '../../docker/log-records.ts';
import { ENTRY_BYTES, GRAIN_MS } from '../../exec/time-index.ts';
import { OutputWriter } from '../../executor/output-writer.ts';
import { TaskFiles } from '../../executor/task-files.ts';
import type { LogDirectory } from './log-file.ts';
import { NoTimesError } from './log-since.ts';

const START = Date.parse('2026-11-29T20:15:00Z');
const LIMITS = { maxSize: 200, maxFiles: 3 };

let root: string;
let path: string;
let directory: LogDirectory;
beforeEach(() => fresh());
afterEach(() => rmSync(root, { recursive: true, force: true }));

function fresh(): void {
  if (root) rmSync(root, { recursive: true, force: true });
  root = mkdtempSync(join(tmpdir(), 'mesosup-since-'));
  path = join(root, 'tasks/t');
  directory = logDirectory(path);
}

function recordAt(ms: number, line: string): LogRecord {
  const time = `${new Date(ms).toISOString().slice(0, 23)}000001Z`;
  return { stream: 'stdout', time, bytes: Buffer.from(`${line}\n`) };
}

function openWriter(limits = LIMITS): OutputWriter {
  return new OutputWriter(new TaskFiles(root, 't', false), 't', { stdout: 0, stderr: 0 }, limits);
}

/** A worker that starts, is sent all records again from the first one on, and ends. */
async function work(records: readonly LogRecord[], limits = LIMITS): Promise<void> {
  const writer = openWriter(limits);
  await writer.write(records, writer.filters(undefined));
  writer.close();
}

const since = (ms: number) => readLog(directory, 'stdout', { since: ms });
const stateFile = () => join(root, 'state', readdirSync(join(root, 'state'))[0] ?? '');

/** Kills the worker while it writes these records: entries are there, the position is not, and only some of the bytes. */
async function crash(records: readonly LogRecord[], bytes: number): Promise<void> {
  const before = existsSync(path) ? statSync(join(path, 'stdout')) : undefined;
  const writer = openWriter();
  const saved = join(root, 'position');
  copyFileSync(stateFile(), saved);
  await writer.write(records, writer.filters(undefined));
  writer.close();
  copyFileSync(saved, stateFile());
  const after = statSync(join(path, 'stdout'));
  const least = before?.ino === after.ino ? before.size : 0;
  truncateSync(join(path, 'stdout'), least + (bytes % (after.size - least + 1)));
}

const batch = fc.array(fc.integer({ min: 0, max: 2500 }), { minLength: 1, maxLength: 12 });
const action = fc.oneof(
  fc.record({ write: batch }),
  fc.record({ write: batch, restart: fc.constant(true) }),
  fc.record({ write: batch, crash: fc.nat(1000) }),
);

const share = fc.double({ min: 0, max: 1, noNaN: true });

it('since a time, all later lines are read, and none that is older by the grain of a second', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 12 }),
      fc.array(share, { minLength: 8 }),
      async (actions, parts) => {
        fresh();
        const records: LogRecord[] = [];
        const times = new Map<string, number>();
        let now = START;
        let writer = openWriter();
        let filters = writer.filters(undefined);
        for (const one of actions) {
          const added = one.write.map((pause) => {
            now += pause;
            const line = `line ${String(records.length + 1).padStart(4, '0')}`;
            times.set(line, now);
            records.push(recordAt(now, line));
            return records.at(-1) as LogRecord;
          });
          if ('crash' in one) {
            writer.close();
            await crash(records, one.crash);
          }
          if ('restart' in one) writer.close();
          if ('crash' in one || 'restart' in one) {
            writer = openWriter();
            filters = writer.filters(undefined);
            await writer.write(records, filters);
          } else await writer.write(added, filters);
        }
        writer.close();
        const all = await retained(directory, 'stdout');
        const kept = all.split('\n').slice(0, -1);
        for (const part of parts) {
          const time = Math.round(START - 1500 + part * (now - START + 4000));
          const read = await since(time);
          expect(all.endsWith(read)).toBe(true);
          const lines = read.split('\n').slice(0, -1);
          const left = kept.slice(0, kept.length - lines.length);
          // After a crash, a file may begin within a line.
          const timeOf = (line: string) => times.get(line) ?? Number.NaN;
          expect(left.filter((line) => timeOf(line) >= time)).toEqual([]);
          expect(lines.filter((line) => timeOf(line) <= time - GRAIN_MS)).toEqual([]);
        }
      },
    ),
  );
});

it('reads nothing of a task that has been quiet since then, and everything of one that has written nothing', async () => {
  await work([recordAt(START, 'a'), recordAt(START + 500, 'b')]);
  expect(await since(START + 600)).toBe('a\nb\n');
  expect(await since(START + 1000)).toBe('');
  expect(await readLog(directory, 'stderr', { since: START })).toBe('');
});

it('begins at the later one of since and tail', async () => {
  await work(Array.from({ length: 9 }, (_, i) => recordAt(START + i * 1000, `line ${i}`)));
  const read = (lines: number) => readLog(directory, 'stdout', { since: START + 7000, lines });
  expect(await read(100)).toBe('line 7\nline 8\n');
  expect(await read(2)).toBe('line 7\nline 8\n');
  expect(await read(1)).toBe('line 8\n');
  expect(await read(0)).toBe('');
});

it('includes the lines of the executor in front of the first one of the container', async () => {
  const files = new TaskFiles(root, 't', false);
  files.note('pulled');
  const writer = new OutputWriter(files, 't', files.sizes(), LIMITS);
  const record = { ...recordAt(START, 'out'), stream: 'stderr' as const };
  await writer.write([record], writer.filters(undefined));
  await writer.remark('a remark');
  writer.close();
  expect(await readLog(directory, 'stderr', { since: START - 5000 })).toBe('pulled\nout\na remark\n');
  expect(await readLog(directory, 'stderr', { since: Date.now() - 60_000 })).toBe('a remark\n');
});

it('after the clock was set back, shows older lines too, until it has reached the latest time again', async () => {
  const writer = openWriter({ maxSize: 12, maxFiles: 9 });
  const filters = writer.filters(undefined);
  for (const second of [0, 10, 20, 5, 15, 25, 6, 30])
    await writer.write([recordAt(START + second * 1000, `at ${second}`)], filters);
  writer.close();
  expect(await since(START + 15_000)).toBe('at 20\nat 5\nat 15\nat 25\nat 6\nat 30\n');
  expect(await since(START + 26_000)).toBe('at 30\n');
});

it('leaves no entry for output that a killed worker has not written', async () => {
  const records = Array.from({ length: 9 }, (_, i) => recordAt(START + i * 2000, `line ${i}`));
  await work(records.slice(0, 3));
  await crash(records, 0);
  // Docker has removed what was not written.
  const left = [...records.slice(0, 3), recordAt(START + 60_000, 'line 60')];
  await work(left);
  expect(statSync(join(path, 'stdout.times')).size).toBe(5 * ENTRY_BYTES);
  expect(await since(START + 59_000)).toBe('line 60\n');
});

it('keeps entries only of the files that are kept', async () => {
  const writer = openWriter();
  const filters = writer.filters(undefined);
  for (let n = 0; n < 400; n += 1) await writer.write([recordAt(START + n * 2000, `line ${n}`)], filters);
  writer.close();
  expect(readdirSync(path).sort()).toEqual([
    ...['stderr', 'stderr.times', 'stdout', 'stdout.1', 'stdout.2', 'stdout.times'],
  ]);
  const lines = (await retained(directory, 'stdout')).split('\n').length - 1;
  expect(statSync(join(path, 'stdout.times')).size).toBe(lines * ENTRY_BYTES);
  expect(await since(START)).toBe(await retained(directory, 'stdout'));
});

it('finds a time among many entries with few requests', async () => {
  const limits = { maxSize: 1e9, maxFiles: 2 };
  await work(
    Array.from({ length: 20_000 }, (_, n) => recordAt(START + n * 1000, `line ${n}`)),
    limits,
  );
  let requests = 0;
  const { read } = directory;
  directory.read = (...args) => {
    requests += 1;
    return read(...args);
  };
  expect(await since(START + 19_998_000)).toBe('line 19998\nline 19999\n');
  expect(requests).toBeLessThan(20);
});

it('starts again if the output is rotated in the meantime', async () => {
  for (let at = 1; at <= 12; at += 1) {
    fresh();
    const writer = openWriter();
    const filters = writer.filters(undefined);
    let n = 0;
    const write = async (count: number) => {
      for (const end = n + count; n < end; n += 1)
        await writer.write([recordAt(START + n * 1000, `line ${String(n).padStart(3, '0')}`)], filters);
    };
    await write(50);
    let requests = 0;
    const { list, read } = directory;
    const hooked = async () => {
      requests += 1;
      if (requests === at) await write(25);
    };
    directory.read = async (...args) => {
      await hooked();
      return read(...args);
    };
    directory.list = async () => {
      await hooked();
      return list();
    };
    const text = await since(START + 45_000);
    writer.close();
    expect(text.split('\n')[0], `request ${at}`).toBe('line 045');
  }
});

it('refuses output without times', async () => {
  await work([recordAt(START, 'a')]);
  renameSync(join(path, 'stdout.times'), join(path, 'away'));
  await expect(since(START)).rejects.toThrow(NoTimesError);
  writeFileSync(join(path, 'stdout.times'), 'written by the task: not an index\n'.repeat(10));
  await expect(since(START)).rejects.toThrow(/has no times/);
});

it('refuses a time in front of the output of an older release, and continues after it', async () => {
  await work([recordAt(START, 'a'), recordAt(START + 5000, 'b')]);
  // Older releases have no index, and leave a field of the position out that they don't know.
  rmSync(join(path, 'stdout.times'));
  writeFileSync(stateFile(), readFileSync(stateFile(), 'utf8').replaceAll(',"indexed":true', ''));
  openWriter().close();
  expect(await since(START + 6000)).toBe('');
  await expect(since(START + 5000)).rejects.toThrow(
    /can't be before 2026-11-29T20:15:05.000Z .* older release/,
  );
  await work([recordAt(START, 'a'), recordAt(START + 5000, 'b'), recordAt(START + 9000, 'c')]);
  expect(await since(START + 9000)).toBe('c\n');
});

it('begins the index again after an older release has written without one', async () => {
  const all = [0, 2000, 4000, 6000].map((ms) => recordAt(START + ms, `at ${ms}`));
  await work(all.slice(0, 2));
  appendFileSync(join(path, 'stdout'), 'at 4000\n');
  const position = JSON.parse(readFileSync(stateFile(), 'utf8'));
  const stdout = { time: all[2]?.time, count: 1, file: position.stdout.file, size: 21, lost: 0 };
  writeFileSync(stateFile(), JSON.stringify({ ...position, stdout }).padEnd(511));
  await work(all);
  expect(await since(START + 6000)).toBe('at 6000\n');
  await expect(since(START + 3000)).rejects.toThrow(NoTimesError);
});
