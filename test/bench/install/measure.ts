/** Measures programs of this machine: seconds, and seconds of processor time, of the program and all it started. */

import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { loadavg } from 'node:os';
import { json } from 'node:stream/consumers';
import { execa } from 'execa';
import type { Lab } from '../../lab/lab.ts';

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

/** @returns seconds of processor time that the lab's hosts have used since they began, by Docker's statistics */
export async function hostsCpu(lab: Lab): Promise<number> {
  const used = await Promise.all(lab.hosts.map(({ container }) => containerCpu(container)));
  return used.reduce((sum, one) => sum + one, 0);
}

interface Statistics {
  /** In nanoseconds. */
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
}

async function containerCpu(container: string): Promise<number> {
  const { cpu_stats } = await new Promise<Statistics>((resolve, reject) => {
    const path = `/containers/${container}/stats?stream=false&one-shot=true`;
    request({ socketPath: '/var/run/docker.sock', path }, (answer) =>
      json(answer).then(resolve as never, reject),
    )
      .on('error', reject)
      .end();
  });
  return cpu_stats.cpu_usage.total_usage / 1e9;
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
