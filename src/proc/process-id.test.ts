import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { identify, isAlive, killNow, listProcessIds, parseStat, readStat } from './process-id.ts';

test('parses state, session and start time after a name with parentheses and blanks', () => {
  const stat = '12 (a) (b c) S 1 12 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 98765 1 2';
  expect(parseStat(stat)).toEqual({ state: 'S', session: 7, startTime: '98765' });
  expect(parseStat('')).toBeUndefined();
});

test('a process is alive until it is killed, and another process with its id is a different one', async () => {
  const child = spawn('sleep', ['1000']);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const id = identify(pid);
  if (!id) throw new Error('the child was not found');
  expect(listProcessIds()).toContain(pid);
  expect(isAlive(id)).toBe(true);
  expect(isAlive({ pid, startTime: String(Number(id.startTime) - 1) })).toBe(false);
  const exited = once(child, 'exit');
  killNow(pid);
  await exited;
  expect(isAlive(id)).toBe(false);
  expect(identify(pid)).toBeUndefined();
  expect(readStat(pid)).toBeUndefined();
  killNow(pid);
});
