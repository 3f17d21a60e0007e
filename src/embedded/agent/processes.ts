/** Runs executors as processes. Each starts in its own session, and all processes of the session are killed with it. */

import { spawn } from 'node:child_process';
import { closeSync, constants as fsConstants, openSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Timer } from '../../mesos/retry.ts';
import { isAlive, killNow, listProcessIds, type ProcessId, readStat } from '../../proc/process-id.ts';
import type { UserIds } from './users.ts';

export interface Launch {
  /** Program and arguments; argv0 if it differs from the program. */
  program: string;
  arguments: readonly string[];
  argv0?: string;
  directory: string;
  /** The complete environment; nothing is inherited. */
  environment: Readonly<Record<string, string>>;
  user?: UserIds;
  /** Files to append to. */
  stdout: string;
  stderr: string;
}

/** @param status as in wait(2), or -1 if unknown */
type OnExit = (status: number) => void;

export interface Launcher {
  /** Starts a process. @throws if it could not be started */
  launch(launch: Launch, onExit: OnExit): Promise<ProcessId>;
  /** Watches a process of an earlier run. `onExit` is also called if it is already gone. */
  adopt(id: ProcessId, onExit: OnExit): void;
  /** Sends SIGKILL to every process of the session that `id` started, even if `id` itself is gone. */
  destroy(id: ProcessId): void;
  /** Stops watching. */
  stop(): void;
}

/** Flags for the output files. An archive that was fetched may have put links in their places. */
const APPEND = fsConstants.O_WRONLY | fsConstants.O_APPEND | fsConstants.O_CREAT | fsConstants.O_NOFOLLOW;

/** Poll interval for adopted processes: they are not child processes, so their end is not reported. */
const WATCH_MS = 250;

export function createLauncher(timer: Timer): Launcher {
  const watches = new Set<() => void>();
  return {
    launch,
    adopt(id, onExit) {
      let cancel = () => {};
      const stop = () => cancel();
      const poll = () => {
        if (isAlive(id)) {
          cancel = timer(WATCH_MS, poll);
        } else {
          watches.delete(stop);
          onExit(-1);
        }
      };
      watches.add(stop);
      cancel = timer(0, poll);
    },
    destroy,
    stop() {
      for (const stop of watches) stop();
      watches.clear();
    },
  };
}

function launch(what: Launch, onExit: OnExit): Promise<ProcessId> {
  const stdout = openSync(what.stdout, APPEND);
  const stderr = openSync(what.stderr, APPEND);
  return new Promise((resolve, reject) => {
    try {
      const child = spawn(what.program, what.arguments, {
        cwd: what.directory,
        env: { ...what.environment },
        detached: true,
        stdio: ['ignore', stdout, stderr],
        ...(what.argv0 === undefined ? {} : { argv0: what.argv0 }),
        ...(what.user ? { uid: what.user.uid, gid: what.user.gid } : {}),
      });
      child.once('error', reject);
      child.once('spawn', () => {
        const pid = child.pid as number;
        child.once('exit', (code, signal) => onExit(waitStatus(code, signal)));
        child.unref();
        resolve({ pid, startTime: readStat(pid)?.startTime ?? '' });
      });
    } finally {
      closeSync(stdout);
      closeSync(stderr);
    }
  });
}

/** Adds a line to an output file. */
export function appendLine(file: string, line: string): void {
  const fd = openSync(file, APPEND);
  try {
    writeSync(fd, `${line}\n`);
  } finally {
    closeSync(fd);
  }
}

function waitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  if (signal !== null) return constants.signals[signal];
  return code === null ? -1 : code * 256;
}

function destroy(id: ProcessId): void {
  const stat = readStat(id.pid);
  // The id may belong to another process now; then only the rest of the session is killed.
  if (stat && stat.startTime === id.startTime) killNow(id.pid);
  for (const pid of listProcessIds()) {
    if (pid === id.pid) continue;
    const member = readStat(pid);
    if (member && member.session === id.pid && Number(member.startTime) >= Number(id.startTime)) killNow(pid);
  }
}
