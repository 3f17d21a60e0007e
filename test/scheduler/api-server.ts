import { afterEach, expect } from 'vitest';
import { Agents } from '../../src/scheduler/agents/agents.ts';
import type { Api, ApiOptions } from '../../src/scheduler/api/answers.ts';
import { createApi } from '../../src/scheduler/api/server.ts';
import type { ServerEvent } from '../../src/scheduler/api/v2/event-schemas.ts';
import { EventStreams } from '../../src/scheduler/api/v2/event-stream.ts';
import type { StoredEvent } from '../../src/scheduler/domain/events.ts';
import { createState } from '../../src/scheduler/domain/state.ts';
import { ExecSessions } from '../../src/scheduler/exec/exec-sessions.ts';
import { optionsFrom } from '../../src/scheduler/flags/options.ts';
import { readFlags } from '../../src/scheduler/flags/parse-flags.ts';
import { describeSetup } from '../../src/scheduler/info.ts';
import { Members } from '../../src/scheduler/members.ts';
import { createMetrics } from '../../src/scheduler/metrics.ts';
import { createRunner, type Runner } from '../../src/scheduler/runner.ts';
import { noticesFor } from '../../src/scheduler/scheduler.ts';
import { Sessions } from '../../src/scheduler/sign-in/sessions.ts';
import { createMemoryStore } from '../../src/scheduler/store/memory.ts';
import { SimulatedMesos } from '../../src/simulator/mesos.ts';
import { filesOf, logsOf } from './agents.ts';
import { DOCKER, settings } from './fixtures.ts';

const OPTIONS = optionsFrom(readFlags(['--master', 'localhost:5050'], {}));

/** Cleanup actions after a test, in order. */
export const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

export interface Server {
  api: Api;
  runner: Runner;
  mesos: SimulatedMesos;
  /** Stored events. */
  disk: StoredEvent[];
  faults: unknown[];
  /** Events sent to the listeners of `/v2/events`. */
  published: ServerEvent[];
  /** Connects to Mesos and runs all placed tasks. */
  run(): Promise<void>;
}

/** Creates the API of a scheduler with a Mesos in memory and a stopped clock. */
export function server(more: Partial<ApiOptions> = {}, role = '*'): Server {
  const mesos = new SimulatedMesos(
    [
      { id: 'S0', host: 'a.example', cpus: 4, mem: 4096, ports: 4 },
      { id: 'S1', host: 'b.example', cpus: 4, mem: 4096, ports: 4 },
    ],
    {},
    role,
  );
  const events = new EventStreams();
  const faults: unknown[] = [];
  const published: ServerEvent[] = [];
  const disk: StoredEvent[] = [];
  const metrics = createMetrics({ withProcessMetrics: false });
  const { logs = logsOf() } = more;
  const runner = createRunner({
    state: createState(settings({ role })),
    store: createMemoryStore(disk),
    now: () => 1_700_000_000_000,
    send: async (call) => mesos.call(call),
    describe: noticesFor,
    publish: (notices, changes) => {
      for (const change of changes) metrics.countChange(change);
      for (const one of notices) {
        if ('ended' in one) logs.remember(one.ended);
        if (!('eventType' in one)) continue;
        events.publish(one);
        published.push(one);
      }
    },
    onError: (_what, error) => faults.push(error),
    onFatal: (message) => faults.push(message),
    onNewSession: () => {},
  });
  const exec = new ExecSessions({ send: async () => {}, now: () => 1_700_000_000_000, log: () => {} });
  const now = more.now ?? (() => 1_700_000_000_000);
  const sessions = new Sessions({
    accounts: more.accounts ?? [],
    limits: OPTIONS.sessionLimits,
    store: createMemoryStore(),
    now,
    warn: (message) => faults.push(message),
  });
  const api = createApi({
    runner,
    events,
    exec,
    sessions,
    agents: new Agents({
      detect: async () => {
        throw new Error('no master leads');
      },
      now,
    }),
    members: new Members({
      masters: async () => [],
      schedulers: async () => ['host:8080', 'other:8080'],
      now,
    }),
    logs,
    files: filesOf(),
    leader: () => 'host:8080',
    info: () => ({ ...describeSetup(OPTIONS), version: '1' }),
    now,
    random: () => 0.0445,
    endpointsPortSuffix: false,
    maxBodyBytes: OPTIONS.maxBodyBytes,
    metrics,
    onError: (_what, error) => faults.push(error),
    ...more,
  });
  closing.push(async () => {
    events.close();
    exec.close();
    await api.close();
    await sessions.close();
    await runner.stop();
  });
  const run = async () => {
    mesos.subscribe(true);
    for (let round = 0; round < 20; round += 1) {
      for (const event of mesos.inbox.splice(0)) await runner.submit({ type: 'mesos', event });
      mesos.offer();
      mesos.work();
    }
  };
  return { api, runner, mesos, disk, faults, published, run };
}

/** Sends the call of the 2013 page as HTTPie does. */
export const PAGE = {
  id: 'multidis',
  instances: '2',
  mem: '512',
  cpus: '1',
  executor: DOCKER,
  cmd: 'johncosta/redis',
};

export function post({ api }: Server, url: string, payload: unknown, headers: Record<string, string> = {}) {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return api.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** Sends a call of v2, optionally with a JSON body. */
export function call(
  { api }: Server,
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS',
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  if (body === undefined) return api.inject({ method, url, headers });
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  return api.inject({ method, url, payload, headers: { 'content-type': 'application/json', ...headers } });
}

export function get({ api }: Server, url: string, accept?: string) {
  return api.inject({ method: 'GET', url, ...(accept !== undefined && { headers: { accept } }) });
}

/** An app of v2 that sleeps. */
export const SLEEPER = { id: '/sleeper', cmd: 'sleep 1000', cpus: 0.1, mem: 16 };

/** Creates a server on which that app runs, with additional fields. */
export async function withApp(more: object = {}): Promise<Server> {
  const one = server();
  expect((await call(one, 'POST', '/v2/apps', { ...SLEEPER, ...more })).statusCode).toBe(201);
  await one.run();
  return one;
}

export async function appOf(one: Server, id = SLEEPER.id) {
  return (await get(one, `/v2/apps${id}`)).json().app;
}
