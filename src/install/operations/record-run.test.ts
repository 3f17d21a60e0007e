import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Interrupted, MesosupError } from '../../errors/mesosup-error.ts';
import { RunRecorder, readRun } from '../edge/run-records.ts';
import { recordRun } from './record-run.ts';
import type { Session } from './session.ts';

let directory: string;
let record: RunRecorder;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-record-'));
  record = new RunRecorder(directory, { onProblem: () => {}, now: Date.now });
});
afterEach(() => rm(directory, { recursive: true }));

const begin = () => record.begin({ command: 'start', cluster: 'prod', who: 'ann' });
const logsCommand = (id: string) => `mesosup logs --run ${id}`;
const run = <T extends object>(body: () => Promise<T>, signal = new AbortController().signal) =>
  recordRun({ record } as unknown as Session, { signal, logsCommand }, async () => {
    const more = await body();
    return { problems: [], troubles: [], leftOut: [], ...more };
  });
const recorded = async () => {
  const { lines, end } = await readRun(directory, 'last');
  return [...lines.map(({ host, kind, text }) => `${host} ${kind} ${text}`), end?.end];
};

test('the error of a run that has begun names the command that shows its record', async () => {
  const failing = run(async () => {
    begin();
    throw new MesosupError('h1: the cluster is not healthy', { host: 'h1', remedy: 'See: mesosup status' });
  });
  await expect(failing).rejects.toMatchObject({
    name: 'MesosupError',
    remedy: expect.stringMatching(
      /^See: mesosup status {2}What the run did and said on each host: mesosup logs --run \d+T\d+-start$/,
    ),
  });
  expect(await recorded()).toEqual(['h1 failed h1: the cluster is not healthy', 'failed']);
});

test('an error before a run has begun stays as it is', async () => {
  const error = new MesosupError('no host can be reached');
  await expect(run(() => Promise.reject(error))).rejects.toBe(error);
  expect(error.remedy).toBeUndefined();
  expect((await run(async () => ({}))).run).toBeUndefined();
});

test('records hosts that were left out, or that waited for another one in vain', async () => {
  const problem = { check: 'disk', remedy: 'Free it.', severity: 'error' as const };
  const result = await run(async () => {
    const id = begin();
    record.write({ host: 'h1', kind: 'failed', text: 'apt failed' });
    return {
      id,
      problems: [
        { host: 'h3', message: 'its disk is full', ...problem },
        { host: 'h2', message: 'a warning', ...problem },
      ],
      troubles: [
        { host: 'h1', failure: 'package', message: 'apt failed', remedy: '' },
        { host: 'h2', failure: 'turn', message: 'it was not changed', remedy: '' },
      ],
      leftOut: ['h3'],
    };
  });
  expect(result.run).toBe(result.id);
  expect(await recorded()).toEqual([
    'h1 failed apt failed',
    'h3 failed its disk is full',
    'h2 failed it was not changed',
    'failed',
  ]);
});

test('a run without trouble is done; one that was interrupted is ended by the session', async () => {
  await run(async () => ({ id: begin() }));
  expect(await recorded()).toEqual(['done']);
  await expect(
    run(async () => {
      begin();
      throw new Interrupted('Interrupted.');
    }),
  ).rejects.toMatchObject({ message: 'Interrupted.', remedy: undefined });
  expect(record.id).toBeDefined();
  // Whatever the run meets after an interrupt is no failure of it.
  await expect(run(() => Promise.reject(new Error('x')), AbortSignal.abort())).rejects.toThrow('x');
  record.end('interrupted');
  expect(await recorded()).toEqual(['interrupted']);
});
