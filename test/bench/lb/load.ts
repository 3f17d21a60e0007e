/** Requests by wrk and h2load, and what they report. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

export interface LoadReport {
  readonly requests: number;
  readonly failed: number;
  /** What the programs print about failures and latencies. */
  readonly text: string;
}

/** Fails with what to install. */
export async function needPrograms(...names: readonly string[]): Promise<void> {
  const missing = [];
  for (const name of names) {
    const { failed } = await execa('sh', ['-c', 'command -v "$0"', name], { reject: false });
    if (failed) missing.push(name);
  }
  if (missing.length === 0) return;
  const packages = missing.map((name) => (name === 'h2load' ? 'nghttp2-client' : name));
  throw new Error(`${missing.join(', ')} not found. Install: apt-get install ${packages.join(' ')}`);
}

/**
 * Asks virtual hosts in random order for a while.
 * @param directory for wrk's script
 */
export async function wrkHosts(
  url: string,
  hosts: readonly string[],
  seconds: number,
  directory: string,
): Promise<LoadReport> {
  const script = path.join(directory, `hosts-${new URL(url).host.replaceAll(/\W/g, '-')}.lua`);
  const list = hosts.map((host) => `'${host}'`).join(',');
  await writeFile(
    script,
    `local hosts = {${list}}\nrequest = function() return wrk.format('GET', '/', { Host = hosts[math.random(#hosts)] }) end\n`,
  );
  const { stdout } = await execa('wrk', [
    ...['-t1', '-c8', '--timeout', '30s', `-d${seconds}s`, '-s', script, '--latency', url],
  ]);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  const errors = /Socket errors: (.*)/.exec(stdout)?.[1] ?? '';
  const statuses = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  const failed = [...errors.matchAll(/\d+/g)].reduce((sum, [count]) => sum + Number(count), statuses);
  const latencies = [...stdout.matchAll(/^ +(50|99)% +(\S+) *$/gm)].map(([, p, ms]) => `p${p} ${ms}`);
  const text = `wrk: ${requests} requests, ${failed} failed${errors === '' ? '' : ` (${errors})`}, ${latencies.join(', ')}`;
  return { requests, failed, text };
}

/** Asks a port for a while over connections that are kept: with HTTP/2 and TLS, or with HTTP/1.1. */
export async function h2load(
  url: string,
  seconds: number,
  flags: readonly string[] = [],
): Promise<LoadReport> {
  const { stdout } = await execa('h2load', ['-t1', '-c4', `-D${seconds}`, ...flags, url]);
  const line = /^requests: .*$/m.exec(stdout)?.[0] ?? '';
  const number = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? Number.NaN);
  const failed = number('failed') + number('errored') + number('timeout');
  const statuses = /^status codes: .*$/m.exec(stdout)?.[0] ?? '';
  const bad = [...statuses.matchAll(/(\d+) [45]xx/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  return { requests: number('done'), failed: failed + bad, text: `h2load: ${line}; ${statuses}` };
}
