/** Debian's haproxy in front of the tasks of an app, updated like with an operator's script. */

import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { identify } from '../../../src/proc/process-id.ts';
import { freePorts } from '../../support/free-ports.ts';
import { until } from '../demo-cluster.ts';

export interface Haproxy {
  readonly url: string;
  /** Number of reloads with a changed configuration. */
  reloads(): number;
  stop(): Promise<void>;
}

/** Resolves when haproxy serves requests. */
export async function startHaproxy(scheduler: string, app: string, directory: string): Promise<Haproxy> {
  const stopped = new AbortController();
  const events = await fetch(`${scheduler}/v2/events`, { signal: stopped.signal });
  const read = async () => ({ [app]: await endpointsOf(scheduler, app) });
  if (!events.body) throw new Error('the event stream has no body');
  const { urls, reloads, stop } = await startHaproxyFor([app], read, events.body, directory);
  return {
    url: urls[0] ?? '',
    reloads,
    stop: async () => {
      stopped.abort();
      await stop();
    },
  };
}

/** Several apps, each with a URL of its own, in the order of the apps. */
interface AppsHaproxy extends Omit<Haproxy, 'url'> {
  readonly urls: readonly string[];
}

/**
 * Resolves when haproxy serves requests to all apps.
 * @param read reads `host:port` of each task, by app
 * @param changes yields whenever they may have changed; the owner ends it before `stop`
 */
export async function startHaproxyFor(
  apps: readonly string[],
  read: () => Promise<Readonly<Record<string, readonly string[]>>>,
  changes: AsyncIterable<unknown>,
  directory: string,
): Promise<AppsHaproxy> {
  const ports = await freePorts(apps.length);
  const file = path.join(directory, 'haproxy.cfg');
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const configure = async (): Promise<string> => {
    const servers = await read();
    return configuration(
      apps.map((app, i) => ({ port: ports[i] ?? 0, servers: servers[app] ?? [] })),
      directory,
    );
  };
  let current = await configure();
  await write(current);
  const pids: string[] = [];
  // A new process takes over the listening socket, and the old process exits after its last request. When the command
  // returns, the new process has loaded the configuration or has reported an error.
  const load = async (): Promise<void> => {
    const last = pids.slice(-1).flatMap((pid) => ['-x', path.join(directory, 'haproxy.sock'), '-sf', pid]);
    await execa('/usr/sbin/haproxy', ['-D', '-p', `${directory}/haproxy.pid`, '-f', file, ...last], {
      stdio: 'ignore',
    });
    pids.push((await readFile(`${directory}/haproxy.pid`, 'utf8')).trim());
  };
  await load();
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  let stopped = false;
  let working = Promise.resolve();
  const follow = async (): Promise<void> => {
    for await (const _ of changes) {
      working = working.then(async () => {
        const next = await configure();
        if (next === current) return;
        current = next;
        await write(next);
        await load();
      });
    }
  };
  const following = follow().catch((error: unknown) => {
    if (!stopped) throw error;
  });
  for (const url of urls) await until('haproxy serves', async () => (await fetch(url)).ok);
  return {
    urls,
    reloads: () => pids.length - 1,
    stop: async () => {
      stopped = true;
      await Promise.allSettled([following, working]);
      const running = pids.map(Number).filter(isRunning);
      for (const pid of running) process.kill(pid);
      await until('haproxy has ended', async () => !running.some(isRunning));
      await Promise.all([following, working]);
    },
  };
}

function isRunning(pid: number): boolean {
  return identify(pid) !== undefined;
}

/** `host:port` of each task. */
async function endpointsOf(scheduler: string, app: string): Promise<string[]> {
  const text = await (await fetch(`${scheduler}/v1/endpoints`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${app} `)) ?? '';
  return line.split(' ').slice(2).filter(Boolean);
}

/**
 * Like marathon-lb: if a server refuses the connection, another server is tried, because a task runs shortly before it
 * listens. A request that was sent is never repeated.
 */
function configuration(
  apps: readonly { readonly port: number; readonly servers: readonly string[] }[],
  directory: string,
): string {
  const listens = apps.map(
    ({ port, servers }) => `listen app-${port}
  bind 127.0.0.1:${port}
  balance roundrobin
${servers.map((server, i) => `  server s${i} ${server}\n`).join('')}`,
  );
  return `global
  stats socket ${directory}/haproxy.sock mode 600 level admin expose-fd listeners
  hard-stop-after 30s
defaults
  mode http
  retries 3
  retry-on conn-failure
  option redispatch 1
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option httpclose
${listens.join('')}`;
}
