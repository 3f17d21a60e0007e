/** Takes over the framework of a stand-in for Marathon, whose tasks run as processes on this machine. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { tearDown } from './mesos.ts';

export const MESOSUP = path.resolve(import.meta.dirname, '../../../bin/mesosup');

/**
 * Lists the processes of tasks, in containers or not, by task id.
 * @param command of one test only: the Mesos under test may run tasks of other tests
 */
export function taskProcesses(command: string): Record<string, number> {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        if (commandLine !== command) return [];
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        const [, id] = /(?:^|\0)MESOS_TASK_ID=([^\0]+)/.exec(environment) ?? [];
        return id === undefined ? [] : [[id, Number(name)] as const];
      } catch {
        // It has ended in the meantime.
        return [];
      }
    });
  return Object.fromEntries(found.sort());
}

/** Runs `mesosup scheduler takeover` without a terminal. */
export function runTakeover(url: string, dataDir: string, ...args: string[]) {
  const all = ['scheduler', 'takeover', url, '--data-dir', dataDir, ...args];
  return execa(MESOSUP, all, { reject: false, stdin: 'ignore' });
}

/** Starts a takeover, and resolves when it waits for Marathon to stop. */
export async function startTakeover(url: string, dataDir: string, ...args: string[]) {
  const ended = runTakeover(url, dataDir, ...args);
  let text = '';
  await new Promise<void>((resolve) => {
    ended.stderr?.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('waiting until Marathon is stopped')) resolve();
    });
    void ended.then(() => resolve());
  });
  // In an object, since a promise would be awaited.
  return { ended };
}

/** Ends the framework of the stand-in, if it was registered. @param file with the state of the stand-in */
export async function tearDownStandIn(file: string): Promise<void> {
  let frameworkId: string | undefined;
  try {
    ({ frameworkId } = JSON.parse(readFileSync(file, 'utf8')) as { frameworkId?: string });
  } catch {
    return;
  }
  if (frameworkId !== undefined) await tearDown(frameworkId);
}
