import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemTimer } from '../../mesos/retry.ts';
import type { ProcessId } from '../../proc/process-id.ts';
import { createLauncher, type Launch, type Launcher } from './processes.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** Time limit for starts and ends of processes, also on a busy machine. */
const PATIENCE = { timeout: 10_000, interval: 10 };

let directory: string;
let launcher: Launcher;
let started: ProcessId[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mesosup-processes-'));
  launcher = createLauncher(systemTimer);
  started = [];
});

afterEach(() => {
  launcher.stop();
  for (const id of started) launcher.destroy(id);
  rmSync(directory, { recursive: true, force: true });
});

const file = (name: string) => readFileSync(join(directory, name), 'utf8');

async function launch(script: string, more: Partial<Launch> = {}) {
  const { promise: exited, resolve } = Promise.withResolvers<number>();
  const id = await launcher.launch(
    {
      program: '/bin/sh',
      arguments: ['-c', script],
      argv0: 'sh',
      directory,
      environment: { PATH: '/usr/bin:/bin', A: 'a' },
      stdout: join(directory, 'stdout'),
      stderr: join(directory, 'stderr'),
      ...more,
    },
    resolve,
  );
  started.push(id);
  return { id, exited };
}

const alive = (pid: number) => {
  try {
    // A zombie counts as gone.
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

describe('launch', () => {
  it('runs in the sandbox with only the given environment, and output in files', async () => {
    const { exited } = await launch('pwd; env; echo oops >&2; exit 3');
    expect(await exited).toBe(3 * 256);
    const lines = file('stdout').trim().split('\n');
    expect(lines.shift()).toBe(directory);
    expect(lines.map((l) => l.split('=')[0]).sort()).toEqual(['A', 'PATH', 'PWD']);
    expect(file('stderr')).toBe('oops\n');
  });

  it('starts a new session', async () => {
    const { id, exited } = await launch('ps -o sid= -p $$ 2>/dev/null || cut -d" " -f6 /proc/$$/stat');
    await exited;
    expect(Number(file('stdout'))).toBe(id.pid);
  });

  it('reports the signal that ended it', async () => {
    const { exited } = await launch('kill -TERM $$');
    expect(await exited).toBe(15);
  });

  it('rejects for a missing program', async () => {
    await expect(launch('', { program: '/nowhere/at-all' })).rejects.toThrow('ENOENT');
  });
});

describe('destroy', () => {
  it('kills the complete session, including processes that ignore SIGTERM or left the process group', async () => {
    const script = `
      trap '' TERM
      (trap '' TERM; exec sleep 1000) & echo $! > child
      set -m; sleep 1001 & echo $! > other-group
      echo ready > ready; wait`;
    const { id, exited } = await launch(script);
    await vi.waitFor(() => file('ready'), PATIENCE);
    const pids = [id.pid, Number(file('child')), Number(file('other-group'))];
    expect(pids.map(alive)).toEqual([true, true, true]);
    launcher.destroy(id);
    expect(await exited).toBe(9);
    await vi.waitFor(() => expect(pids.map(alive)).toEqual([false, false, false]), PATIENCE);
  });

  it('kills the rest of a session whose first process is gone', async () => {
    const { id, exited } = await launch('sleep 1000 & echo $! > left');
    await exited;
    const left = Number(file('left'));
    expect(alive(left)).toBe(true);
    launcher.destroy(id);
    await vi.waitFor(() => expect(alive(left)).toBe(false), PATIENCE);
  });

  it('does not kill a different process with the same id', async () => {
    const { id } = await launch('exec sleep 1000');
    launcher.destroy({ pid: id.pid, startTime: String(Number(id.startTime) + 1) });
    expect(alive(id.pid)).toBe(true);
  });
});

describe('adopt', () => {
  it('detects the end of a process that is not a child', async () => {
    const { exited } = await launch('setsid sleep 1000 & echo $! > pid');
    await exited;
    const pid = Number(file('pid'));
    const startTime = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19] ?? '';
    const onExit = vi.fn();
    started.push({ pid, startTime });
    launcher.adopt({ pid, startTime }, onExit);
    expect(onExit).not.toHaveBeenCalled();
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(onExit).toHaveBeenCalledExactlyOnceWith(-1), PATIENCE);
  });

  it('reports immediately that it is gone or that its id was reused', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    launcher.adopt({ pid: process.pid, startTime: '1' }, resolve);
    expect(await promise).toBe(-1);
  });
});
