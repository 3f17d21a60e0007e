/**
 * Reads a state of many tasks from a journal, and writes a snapshot of it while task updates arrive. Arguments: a checkout
 * whose sources are measured, the directory of the journal, the number of tasks. The journal is made if it is missing.
 */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredEvent } from '../../../src/scheduler/domain/events.ts';
import type { State } from '../../../src/scheduler/domain/state.ts';
import type { Store } from '../../../src/scheduler/store/store.ts';
import type { StateFigures } from './state.ts';

const [checkout = '', directory = '', count = ''] = process.argv.slice(2);
const TASKS_OF_APP = 50;
const AGENTS = 10_000;
const UPDATE_EVERY_MS = 5;

type Sources = {
  core: typeof import('../../../src/simulator/simulation.ts');
  state: typeof import('../../../src/scheduler/domain/state.ts');
  evolve: typeof import('../../../src/scheduler/domain/evolve.ts');
  apps: typeof import('../../../src/scheduler/domain/app-schema.ts');
  journal: typeof import('../../../src/scheduler/store/journal.ts');
  runner: typeof import('../../../src/scheduler/runner.ts');
};
const source = async <K extends keyof Sources>(name: string): Promise<Sources[K]> =>
  (await import(path.join(checkout, 'src', name))) as Sources[K];
const { SETTINGS } = await source<'core'>('simulator/simulation.ts');
const { createState } = await source<'state'>('scheduler/domain/state.ts');
const { evolve } = await source<'evolve'>('scheduler/domain/evolve.ts');
const { appSchema } = await source<'apps'>('scheduler/domain/app-schema.ts');
const { openJournal } = await source<'journal'>('scheduler/store/journal.ts');
const { createRunner } = await source<'runner'>('scheduler/runner.ts');

const warn = (message: string) => console.error(message);
const fail = (message: string): never => {
  throw new Error(message);
};

function* content(tasks: number): Generator<StoredEvent> {
  const at = Date.parse('2026-11-01T00:00:00Z');
  const version = new Date(at).toISOString();
  const agent = 'b7c1e1d2-7f31-4a3a-a3f4-0123456789ab';
  for (let i = 0; i < tasks / TASKS_OF_APP; i += 1) {
    const definition = appSchema.parse({
      id: `/group${i % 10}/app${i}`,
      container: {
        type: 'DOCKER',
        docker: { image: 'registry.example/team/image:1.2.3' },
        portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 10_000 + i, name: 'http' }],
      },
      networks: [{ mode: 'container/bridge' }],
      instances: TASKS_OF_APP,
      env: { A: 'one', B: 'two', C: 'three' },
      labels: { HAPROXY_GROUP: 'external', team: 'one' },
      healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' } }],
    });
    const versions = { version, configVersion: version };
    const app = { ...definition, api: 'v2' as const, ...versions, scaleVersion: version };
    const counts = { launches: TASKS_OF_APP, succeeded: 0 };
    const record = { versions: [app], active: app, run: i + 1, changedAt: at, ...counts, frozen: false };
    yield { type: 'app_restored', record };
    for (let j = 0; j < TASKS_OF_APP; j += 1) {
      const number = i * TASKS_OF_APP + j;
      const task = {
        id: `group${i % 10}_app${i}.instance-${crypto.randomUUID()}._app.1`,
        appId: app.id,
        run: i + 1,
        ...versions,
        agentId: `${agent}-S${number % AGENTS}`,
        host: `agent${number % AGENTS}.cluster.example`,
        ports: [31_000 + (number % 1000)],
        executorId: 'mesosup-0123456789abcdef-0',
        launchedAt: at,
        runningAt: at,
        checked: true,
        healthy: true,
        state: 'TASK_RUNNING' as const,
      };
      yield { type: 'task_restored', task };
    }
  }
}

if (!existsSync(directory)) {
  const store = await openJournal({ directory, warn });
  await store.snapshot(content(Number(count)));
  await store.close();
  process.exit();
}

const delay = monitorEventLoopDelay({ resolution: 1 });
const maxDelayOf = async (work: () => Promise<void>): Promise<{ ms: number; stallMs: number }> => {
  delay.reset();
  delay.enable();
  const began = performance.now();
  await work();
  const ms = performance.now() - began;
  // The delay of the last turn is recorded in the next one.
  await sleep(5);
  delay.disable();
  return { ms, stallMs: delay.max / 1e6 };
};

const state: State = createState(SETTINGS);
let opened: Store | undefined;
const load = await maxDelayOf(async () => {
  const store = await openJournal({ directory, warn, snapshotBytes: 1 });
  opened = store;
  const loaded = store.load() as AsyncIterable<readonly StoredEvent[]> | Promise<readonly StoredEvent[]>;
  if (loaded instanceof Promise) for (const event of await loaded) evolve(state, event);
  else for await (const events of loaded) for (const event of events) evolve(state, event);
});
const store = opened ?? fail('the journal is not open');
globalThis.gc?.();
const heapBytes = process.memoryUsage().heapUsed;

let began = 0;
const { snapshot } = store;
const written = Promise.withResolvers<void>();
store.snapshot = (events) => {
  began = performance.now();
  const done = snapshot.call(store, events);
  done.then(written.resolve, written.reject);
  return done;
};
const runner = createRunner({
  state,
  store,
  now: Date.now,
  send: async () => {},
  describe: () => [],
  publish: () => {},
  onError: (what, error) => fail(`${what}: ${String(error)}`),
  onFatal: fail,
  onNewSession: () => {},
});
const ids = [...state.tasks.keys()];
const waits: number[] = [];
let healthy = false;
const update = async (id = ''): Promise<void> => {
  healthy = !healthy;
  const status = { task_id: { value: id }, state: 'TASK_RUNNING' as const, healthy, uuid: 'u' };
  const sent = performance.now();
  await runner.submit({ type: 'mesos', event: { type: 'UPDATE', update: { status } } });
  waits.push(performance.now() - sent);
};
const during = await maxDelayOf(async () => {
  // The first one makes the snapshot due.
  let over = false;
  written.promise.finally(() => {
    over = true;
  });
  const updates: Promise<void>[] = [];
  for (let i = 0; !over; i += 1) {
    updates.push(update(ids[(i * 7919) % ids.length]));
    await sleep(UPDATE_EVERY_MS);
  }
  await Promise.all(updates);
});
const figures: StateFigures = {
  tasks: state.tasks.size,
  loadMs: load.ms,
  loadStallMs: load.stallMs,
  heapMiB: heapBytes / 2 ** 20,
  snapshotMs: performance.now() - began,
  snapshotStallMs: during.stallMs,
  updates: waits.length,
  longestUpdateMs: Math.max(...waits),
};
process.send?.(figures);
await runner.stop();
await store.close();
