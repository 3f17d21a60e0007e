/** Measures programs of this machine: seconds, and seconds of processor time, of the program and all it started. */

import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { execa } from 'execa';

export interface Taken {
  readonly seconds: number;
  /** User and system time. */
  readonly cpu: number;
}

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/**
 * Runs a program to its end. bash measures it, since Node does not report the processor time of one child.
 * @throws Error with its outputs if it fails
 */
export async function measure(
  command: readonly string[],
  cwd: string,
): Promise<Taken & { readonly stdout: string }> {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@"';
  const done = await execa('bash', ['-c', script, 'bash', ...command], {
    cwd,
    stdin: 'ignore',
    reject: false,
    env: { LC_ALL: 'C' },
  });
  if (done.exitCode !== 0)
    throw new Error(`exit ${done.exitCode}: ${command[0]}\n${done.stdout}\n${done.stderr}`);
  const [real = 0, user = 0, system = 0] = (done.stderr.split('\n').at(-1) ?? '').split(' ').map(Number);
  return { seconds: real, cpu: user + system, stdout: done.stdout };
}

/**
 * Writes out and drops the kernel's file caches. dpkg's syncs take longer with larger caches, up to half of its time in
 * the kernel, so that the first measurement would slow down the second.
 */
export async function dropCaches(): Promise<void> {
  await execa('sync');
  await writeFile('/proc/sys/vm/drop_caches', '3');
}

/** `load 3.1`: of the last minute. */
export function load(): string {
  return `load ${loadavg()[0]?.toFixed(1)}`;
}
