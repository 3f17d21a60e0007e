import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { supervisorState } from './supervisor-pid.ts';

let sandbox: string;
beforeEach(async () => {
  sandbox = await mkdtemp(path.join(tmpdir(), 'mesosup-pid-'));
});
afterEach(() => rm(sandbox, { recursive: true, force: true }));

/** This process' start time, counted from the end of the line: fields after the 22nd differ in number by kernel. */
async function ownStartTime(): Promise<string> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  const afterName = stat.replace(/^\d+ \(.*\) /, '').split(' ');
  return afterName[22 - 3] ?? '';
}

test('a process that runs since then is alive', async () => {
  await writeFile(path.join(sandbox, 'supervisor.pid'), `${process.pid} ${await ownStartTime()}\n`);
  expect(await supervisorState(sandbox)).toBe('alive');
});

test('a process id that another process has now is gone', async () => {
  await writeFile(path.join(sandbox, 'supervisor.pid'), `${process.pid} 1\n`);
  expect(await supervisorState(sandbox)).toBe('gone');
});

test('a process id without a process is gone', async () => {
  await writeFile(path.join(sandbox, 'supervisor.pid'), '4194999 5\n');
  expect(await supervisorState(sandbox)).toBe('gone');
});

test('without a file, or with half of one, nothing is known', async () => {
  expect(await supervisorState(sandbox)).toBe('unknown');
  await writeFile(path.join(sandbox, 'supervisor.pid'), '12');
  expect(await supervisorState(sandbox)).toBe('unknown');
});
