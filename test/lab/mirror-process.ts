/** Starts the mirror as a separate process, so that a lab can outlive the process that started it. */

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { identify, type ProcessId } from '../../src/proc/process-id.ts';
import type { MirrorOptions } from './mirror.ts';

export interface StartMirror {
  /** Address of this machine to listen on. */
  address: string;
  /** File for its errors. */
  log: string;
  /** End it when this process ends for any reason. */
  untilWeEnd: boolean;
  options: MirrorOptions;
}

export async function startMirror(start: StartMirror): Promise<{ url: string; process: ProcessId }> {
  const main = path.join(import.meta.dirname, 'mirror-main.ts');
  const args = [main, start.address, JSON.stringify(start.options)];
  if (start.untilWeEnd) args.push('--until-stdin-ends');
  const log = openSync(start.log, 'a');
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: [start.untilWeEnd ? 'pipe' : 'ignore', 'pipe', log],
  });
  closeSync(log);
  const port = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the mirror ended with ${code}: see ${start.log}`)));
    if (child.stdout) createInterface(child.stdout).once('line', resolve);
  });
  const id = child.pid === undefined ? undefined : identify(child.pid);
  if (!id) throw new Error(`the mirror ended at once: see ${start.log}`);
  // Neither the process nor its pipes keep this process alive.
  child.unref();
  child.stdout?.destroy();
  if (child.stdin && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  return { url: `http://${start.address}:${port}`, process: id };
}
