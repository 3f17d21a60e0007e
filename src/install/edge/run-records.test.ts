import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runFrame, summaryOf, textsOf } from '../logs/render-run.ts';
import { RunRecorder, readRun, readRuns, runIds } from './run-records.ts';

let base: string;
let directory: string;
let now: number;
let problems: string[];

beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'mesosup-runs-'));
  directory = path.join(base, 'state/runs');
  now = Date.UTC(2026, 10, 30, 11, 4, 30);
  problems = [];
});
afterEach(() => rm(base, { recursive: true }));

const recorder = () =>
  new RunRecorder(directory, {
    onProblem: (text) => problems.push(text),
    now: () => now,
  });
const begin = (record: RunRecorder, command = 'install') =>
  record.begin({ command, cluster: 'prod', who: 'ann@box (7)' });

test('keeps what a run did on each host, without secrets and for its owner only', async () => {
  const record = recorder();
  record.hide(['hunter2']);
  record.write({ host: '', kind: 'note', text: 'before it began' });
  const id = begin(record, 'node add');
  expect(id).toBe('20261130T110430-node-add');
  record.write({ host: 'h1', kind: 'output', text: 'password hunter2' });
  now += 65_000;
  record.write({ host: 'h1', kind: 'failed', text: 'it failed\nwith hunter2', remedy: 'Forget hunter2.' });
  record.end('failed');
  record.write({ host: 'h1', kind: 'note', text: 'after its end' });
  record.end('done');

  const file = path.join(directory, `${id}.ndjson`);
  expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600');
  expect(((await stat(directory)).mode & 0o777).toString(8)).toBe('700');
  expect(await readFile(file, 'utf8')).not.toContain('hunter2');
  const run = await readRun(directory, 'last');
  expect(run.lines.map(({ at: _at, ...line }) => line)).toEqual([
    { host: '', kind: 'note', text: 'before it began' },
    { host: 'h1', kind: 'output', text: 'password ••••••••' },
    { host: 'h1', kind: 'failed', text: 'it failed\nwith ••••••••', remedy: 'Forget ••••••••.' },
  ]);
  expect(summaryOf(run)).toEqual({
    id,
    command: 'node add',
    cluster: 'prod',
    who: 'ann@box (7)',
    began: '2026-11-30T11:04:30.000Z',
    ended: '2026-11-30T11:05:35.000Z',
    outcome: 'failed',
    failed: ['h1'],
  });
  expect(runFrame(run).last).toBe('failed on h1 after 1 min 5 s');
  expect(run.lines.flatMap(textsOf)).toEqual([
    'before it began',
    '  password ••••••••',
    '✖ it failed',
    '  with ••••••••',
    '  → Forget ••••••••.',
  ]);
});

test('writes nothing without a run, and ends a run once', async () => {
  const record = recorder();
  record.write({ host: '', kind: 'note', text: 'nothing was changed' });
  record.end('done');
  expect(await readdir(base)).toEqual([]);
  expect([begin(record), begin(record)]).toEqual(Array(2).fill('20261130T110430-install'));
  record.end('interrupted');
  expect(record.id).toBeUndefined();
  expect((await readRun(directory, 'last')).end?.end).toBe('interrupted');
});

test('a record whose program was killed in the middle of a line is unfinished, and can be read', async () => {
  const record = recorder();
  const id = begin(record);
  record.write({ host: 'h2', kind: 'step', text: '1/2 file /etc/x' });
  await appendFile(path.join(directory, `${id}.ndjson`), '{"at":17,"kind":"la');
  const run = await readRun(directory, id ?? '');
  expect(run.lines.map(({ text }) => text)).toEqual(['1/2 file /etc/x']);
  expect(summaryOf(run).outcome).toBe('unfinished');
  expect(runFrame(run).last).toContain('has no end');
});

test('keeps the last 20 runs, even if two began in the same second', async () => {
  for (let i = 0; i < 25; i += 1) {
    if (i !== 24) now += 60_000;
    const record = recorder();
    begin(record);
    record.end('done');
  }
  const ids = await runIds(directory);
  expect([ids.length, ids[0], ...ids.slice(-2)]).toEqual([
    20,
    '20261130T111030-install',
    '20261130T112830-install',
    '20261130T112830-install-2',
  ]);
  expect((await readRuns(directory)).map(({ head }) => head.id)).toEqual(ids);
});

test('leaves out the output of programs beyond 4 MiB, and nothing else', async () => {
  const record = recorder();
  begin(record);
  const text = 'x'.repeat(1 << 20);
  for (let i = 0; i < 9; i += 1) record.write({ host: 'h1', kind: 'output', text });
  record.write({ host: 'h1', kind: 'step', text: '2/2' });
  record.end('done');
  const { lines } = await readRun(directory, 'last');
  expect(lines.map(({ kind }) => kind)).toEqual([...Array(4).fill('output'), 'note', 'step']);
});

test('a run goes on when its record can not be written', async () => {
  await writeFile(path.join(base, 'state'), 'a file');
  const record = recorder();
  expect(begin(record)).toBeUndefined();
  record.write({ host: 'h1', kind: 'step', text: '1/2' });
  expect(begin(record)).toBeUndefined();
  record.end('done');
  expect(problems).toEqual([
    expect.stringMatching(/^the record of this run can't be written to .*: ENOTDIR$/),
  ]);
});

test('names what there is when a record does not exist, and a file of a later release', async () => {
  await expect(readRun(directory, 'last')).rejects.toMatchObject({
    message: 'there is no run of this cluster on this machine',
    remedy: 'A run is kept on the machine from which it was started: ask there.',
  });
  const record = recorder();
  const id = begin(record);
  record.end('done');
  await expect(readRun(directory, '../secrets')).rejects.toMatchObject({
    message: 'there is no run "../secrets" of this cluster on this machine',
    remedy: `List the runs with: mesosup logs --runs  The last one is ${id}.`,
  });
  await writeFile(path.join(directory, 'z.ndjson'), '{"format":2,"release":"9.0.0"}\n');
  await expect(readRun(directory, 'z')).rejects.toThrow('a later release wrote it');
  await writeFile(path.join(directory, 'y.ndjson'), 'hello\n');
  await expect(readRun(directory, 'y')).rejects.toThrow('is damaged');
  expect((await readRuns(directory)).map(({ head }) => head.id)).toEqual([id]);
});
