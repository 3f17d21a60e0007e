import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loggedHost, RunLog } from './run-log.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-log-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('contains no secret, plain or within base64, of scripts and their output', async () => {
  const secret = 'J8sPq_Xz4-nTtVw0aBcDeFgHiJkLmNoPqRsTuVwXyZ1';
  const log = new RunLog(path.join(directory, 'log'));
  log.hide([secret]);
  const result = { stdout: '', stderr: `err ${secret}`, code: 0, signal: null };
  const host = loggedHost(
    {
      name: 'h1',
      run: async (_script, options) => {
        options?.onLine?.(`out ${secret}`);
        return result;
      },
      close: async () => {},
    },
    log,
  );
  const hidden = ['', 'a', 'ab', 'abc'].map((before) =>
    Buffer.from(`${before}${secret}xyz`).toString('base64'),
  );
  await host.run(`echo ${secret} ${hidden.join(' ')}`, { onLine: () => {} });
  await log.close();
  const text = await readFile(log.file, 'utf8');
  expect(text).toContain('h1: runs:');
  expect(text).toContain('h1: | out ••••••••');
  expect(text).toMatch(/h1: ended with 0 after \d/);
  expect(text).not.toContain(secret);
  for (const form of hidden) expect(text).not.toContain(form.slice(8, -8));
  expect((await stat(log.file)).mode & 0o777).toBe(0o600);
});
