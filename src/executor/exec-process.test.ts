import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { DockerEngine } from '../docker/engine.ts';
import { endCommand } from './exec-process.ts';

test('a command whose client is gone is ended although the engine does not answer or know its process at first', async () => {
  const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  const ended = once(child, 'exit');
  let calls = 0;
  const engine = {
    inspectExec: async () => {
      calls += 1;
      if (calls === 1) throw new Error('timeout');
      return { Running: true, Pid: calls === 2 ? 0 : child.pid };
    },
  } as unknown as DockerEngine;
  // Every path of a control group contains it.
  await endCommand(engine, 'e', '/');
  expect(await ended).toEqual([null, 'SIGHUP']);
  expect(calls).toBe(3);
});
