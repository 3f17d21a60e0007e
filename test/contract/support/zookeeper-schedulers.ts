/** Runs several schedulers as processes. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The program, from the sources. */
export const SCHEDULER = fileURLToPath(new URL('../../../src/scheduler/main.ts', import.meta.url));
const WITHIN_MS = 40_000;
const LOOK_EVERY_MS = 20;

export interface SchedulerProcess {
  readonly child: ChildProcess;
  /** Every line of its log. */
  readonly said: string[];
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
  /** The URL of its API; resolves when it listens. */
  url(): Promise<string>;
  /** Kills it by SIGKILL, like an init system as the last resort. */
  kill(): Promise<void>;
}

/** Starts a scheduler, with its API on a free port on loopback, unless the arguments name a port. */
export function startScheduler(...args: string[]): SchedulerProcess {
  return startSchedulerOf(SCHEDULER, ...args);
}

/** @param main the program, possibly of another release */
export function startSchedulerOf(main: string, ...args: string[]): SchedulerProcess {
  const port = args.includes('--http_port') ? [] : ['--http_port', '0'];
  const own = [...port, '--hostname', '127.0.0.1', '--logging_level', 'debug'];
  const child = spawn(process.execPath, [main, ...own, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit') as SchedulerProcess['ended'];
  const said: string[] = [];
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  return {
    child,
    said,
    ended,
    url: async () => {
      for (const end = Date.now() + WITHIN_MS; ; ) {
        const url = /listening on (https?:[^"\s]+)/.exec(said.join('\n'))?.[1];
        if (url !== undefined) return url;
        if (Date.now() > end) throw new Error(`it does not listen: ${said.join('\n')}`);
        await sleep(LOOK_EVERY_MS);
      }
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
