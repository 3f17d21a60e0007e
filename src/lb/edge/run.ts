/** The load balancer: follows the scheduler's events until it is stopped. */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ApiClient } from '../../client/api-client.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import { readStored } from '../../stored/file.ts';
import { createOwnPort } from '../../tls/own-port.ts';
import { createLbMetrics, type LbMetrics } from '../metrics.ts';
import type { LbOptions } from '../options.ts';
import { isComplete, snapshotSchema } from '../snapshot.ts';
import { LB_STATE, type LbState, storedContent } from '../stored-state.ts';
import { Balancer } from './balancer.ts';
import { DnsServer } from './dns-server.ts';
import { Haproxy } from './haproxy.ts';
import { HostNames } from './host-names.ts';

/** Also without an event, the state is read this often. */
const READ_EVERY_MS = 30_000;
const RETRY_MS = 1000;
const WATCH_EVERY_MS = 1000;
const EVENTS = [
  'scheduler_registered_event',
  'scheduler_reregistered_event',
  'api_post_event',
  'app_terminated_event',
  'group_change_success',
  'deployment_info',
  'deployment_success',
  'deployment_failed',
  'status_update_event',
  'instance_changed_event',
  'instance_draining',
  'instance_health_changed_event',
  'health_status_changed_event',
];

/** Runs until the signal aborts. haproxy keeps running. @throws MesosupError if it can't begin */
export async function runBalancer(
  options: LbOptions,
  client: ApiClient,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(options.dataDirectory, { recursive: true, mode: 0o755 });
  const stateFile = path.join(options.dataDirectory, 'state.json');
  const metrics = createLbMetrics();
  const close = await serveMetrics(options, metrics, log);
  const names = new HostNames();
  const dns = options.dns && new DnsServer(options.dns, metrics, log, names);
  await dns?.start();
  const haproxy = new Haproxy(options.haproxy, options.dataDirectory);
  const state = await readState(stateFile, log);
  const balancer = new Balancer(options, haproxy, metrics, log, state, names);
  let changedAt: number | undefined = Date.now();
  let wake = Promise.withResolvers<void>();
  const markDirty = () => {
    changedAt ??= Date.now();
    wake.resolve();
  };
  const inTurn = turns();
  const revive = () => inTurn(() => attempt(() => balancer.revive(), metrics, log));
  // Traffic does not wait for the scheduler.
  if (state) await Promise.all([revive(), dns?.update(state.snapshot)]);
  const helpers = [
    follow(client, markDirty, signal, log),
    every(READ_EVERY_MS, signal, async () => markDirty()),
    every(WATCH_EVERY_MS, signal, async () => {
      if (balancer.state && (await revive()) === undefined) markDirty();
      metrics.up.set((await haproxy.isRunning()) ? 1 : 0);
    }),
  ];
  const read = reader(client, balancer, haproxy, metrics, log, signal);
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', () => wake.resolve(), { once: true });
  while (!signal.aborted) {
    await wake.promise;
    await pause(options.gatherMs, signal);
    if (signal.aborted) break;
    const since = changedAt ?? Date.now();
    changedAt = undefined;
    wake = Promise.withResolvers();
    const isRead = await read();
    const named = isRead && balancer.state ? dns?.update(balancer.state.snapshot) : undefined;
    const wait = await inTurn(() => attempt(() => balancer.apply(Date.now()), metrics, log));
    await named;
    if (isRead && wait === 0) metrics.applied.observe((Date.now() - since) / 1000);
    if (balancer.state) await store(stateFile, balancer.state, log);
    if (wait === undefined || wait > 0 || !isRead) {
      clearTimeout(timer);
      timer = setTimeout(markDirty, wait === undefined || !isRead ? RETRY_MS : wait);
    }
  }
  clearTimeout(timer);
  await Promise.allSettled(helpers);
  dns?.stop();
  close();
}

/** Runs functions one after the other. */
function turns(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const next = last.then(run);
    last = next.catch(() => undefined);
    return next;
  };
}

/** @returns a function that reads the scheduler's state, and returns whether it could */
function reader(
  client: ApiClient,
  balancer: Balancer,
  haproxy: Haproxy,
  metrics: LbMetrics,
  log: Logger,
  signal: AbortSignal,
): () => Promise<boolean> {
  let problem = '';
  return async () => {
    try {
      const answer = snapshotSchema.safeParse(await client.call('GET', '/v2/endpoints', {}, { signal }));
      if (!answer.success) throw new Error(`${client.url}: the answer to GET /v2/endpoints is not complete`);
      // Without a state there is nothing that could be combined with it, and haproxy may have more.
      if (!balancer.state && !isComplete(answer.data) && (await haproxy.isRunning()))
        throw new Error(`${client.url}: the scheduler does not know the state of all tasks yet`);
      balancer.take(answer.data, Date.now());
      metrics.answered.set(Date.now() / 1000);
      if (problem !== '') log.info('the scheduler answers again');
      problem = '';
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const { message } = error as Error;
      if (message !== problem) log.warn(`${message}; haproxy keeps its servers`);
      problem = message;
      return false;
    }
  };
}

/** @returns undefined after a failure, which is logged */
async function attempt<T>(run: () => Promise<T>, metrics: LbMetrics, log: Logger): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    metrics.failures.inc();
    log.error((error as Error).message);
    return undefined;
  }
}

async function follow(
  client: ApiClient,
  markDirty: () => void,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const query = { event_type: EVENTS, 'plan-format': 'light' };
      // A new connection may have missed events.
      const limits = { signal, onOpen: markDirty };
      for await (const _ of client.events('/v2/events', { query }, limits)) markDirty();
    } catch (error) {
      if (!signal.aborted) log.debug((error as Error).message);
      // Reading the state fails for the same reason, and says so.
      markDirty();
    }
    await pause(RETRY_MS, signal);
  }
}

async function every(ms: number, signal: AbortSignal, run: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await pause(ms, signal);
    if (!signal.aborted) await run();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined);
}

async function readState(file: string, log: Logger): Promise<LbState | undefined> {
  const value = parseJson(await readFile(file, 'utf8').catch(() => ''));
  try {
    return readStored(value, LB_STATE, (why, remedy) => new MesosupError(`${file} ${why}`, { remedy }));
  } catch (error) {
    // The scheduler knows everything that is in it, except who had a virtual host first.
    log.error(`${(error as Error).message}; continuing without it`);
    return undefined;
  }
}

async function store(file: string, state: LbState, log: Logger): Promise<void> {
  const text = JSON.stringify({ format: LB_STATE.format, release: RELEASE, ...storedContent(state) });
  try {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  } catch (error) {
    log.error(`${file} can't be written: ${(error as Error).message}`);
  }
}

async function serveMetrics(
  { metrics: { host, port }, tls }: LbOptions,
  metrics: LbMetrics,
  log: Logger,
): Promise<() => void> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics.registry.metrics().then(
      (text) => response.setHeader('Content-Type', metrics.registry.contentType).end(text),
      () => response.writeHead(500).end(),
    );
  };
  const { server, destroyConnections } = createOwnPort(tls, answer, (message) => log.warn(message));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const remedy = 'End the other program, or choose another address with --metrics.';
      reject(new MesosupError(`can't listen on ${host}:${port}: ${error.code}`, { remedy }));
    });
    server.listen(port, host, resolve);
  });
  return () => {
    destroyConnections();
    server.close();
  };
}
