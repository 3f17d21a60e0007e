import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { hasStartedProgram } from './init-process.ts';

async function answerFor(command: string): Promise<boolean | undefined> {
  const init = spawn('/bin/sh', ['-c', command], { stdio: 'ignore' });
  await once(init, 'spawn');
  try {
    return await hasStartedProgram(init.pid ?? 0);
  } finally {
    init.kill('SIGKILL');
  }
}

test('a process whose child is another program has started it', async () => {
  expect(await answerFor('sleep 0.1; sleep 60; exit')).toBe(true);
});

test('a process that ends without a child has started nothing', async () => {
  expect(await answerFor('while [ "$((i += 1))" -lt 20000 ]; do :; done')).toBe(false);
});

test('a process that can’t be seen may have started anything', async () => {
  expect(await hasStartedProgram(2 ** 22 + 1)).toBeUndefined();
});
