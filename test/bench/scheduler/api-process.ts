/**
 * A scheduler with its journal and API, and 10,000 running tasks of a simulated Mesos, controlled by the parent
 * process.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agents } from '../../../src/scheduler/agents/agents.ts';
import { createApi } from '../../../src/scheduler/api/server.ts';
import { EventStreams } from '../../../src/scheduler/api/v2/event-stream.ts';
import { appSchema } from '../../../src/scheduler/domain/app-schema.ts';
import { createState } from '../../../src/scheduler/domain/state.ts';
import { optionsFrom } from '../../../src/scheduler/flags/options.ts';
import { readFlags } from '../../../src/scheduler/flags/parse-flags.ts';
import { describeSetup } from '../../../src/scheduler/info.ts';
import { Members } from '../../../src/scheduler/members.ts';
import { createMetrics } from '../../../src/scheduler/metrics.ts';
import { createRunner } from '../../../src/scheduler/runner.ts';
import { noticesFor } from '../../../src/scheduler/scheduler.ts';
import { Sessions } from '../../../src/scheduler/sign-in/sessions.ts';
import { openJournal } from '../../../src/scheduler/store/journal.ts';
import { createMemoryStore } from '../../../src/scheduler/store/memory.ts';
import { SimulatedMesos } from '../../../src/simulator/mesos.ts';
import { SETTINGS } from '../../../src/simulator/simulation.ts';
import { filesOf, logsOf } from '../../scheduler/agents.ts';
import { checkedApps } from './apps.ts';

const [apps = 0, each = 0] = process.argv.slice(2).map(Number);
const AGENTS = 1000;

const directory = mkdtempSync(join(tmpdir(), 'mesosup-bench-'));
process.once('disconnect', () => process.exit());
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
const specs = Array.from({ length: AGENTS }, (_, i) => ({
  id: `S${i}`,
  host: `agent${i}`,
  cpus: 16,
  mem: 65_536,
  ports: 100,
}));
const mesos = new SimulatedMesos(specs);
const state = createState(SETTINGS);
const events = new EventStreams();
const metrics = createMetrics({ withProcessMetrics: false });
const fail = (error: unknown): never => {
  throw error instanceof Error ? error : new Error(String(error));
};
const runner = createRunner({
  state,
  store: await openJournal({ directory, warn: fail }),
  now: Date.now,
  send: async (call) => mesos.call(call),
  describe: noticesFor,
  publish: (notices, changes) => {
    for (const change of changes) metrics.countChange(change);
    for (const one of notices) if ('eventType' in one) events.publish(one);
  },
  onError: (_what, error) => fail(error),
  onFatal: fail,
  onNewSession: () => {},
});
const daemon = optionsFrom(readFlags(['--master', 'localhost:5050'], {}));
const api = createApi({
  runner,
  exec: undefined,
  agents: new Agents({ detect: async () => fail(new Error('no master')), now: Date.now }),
  members: new Members({ masters: async () => [], schedulers: async () => [], now: Date.now }),
  sessions: new Sessions({
    accounts: [],
    limits: daemon.sessionLimits,
    store: createMemoryStore(),
    now: Date.now,
    warn: fail,
  }),
  maxBodyBytes: daemon.maxBodyBytes,
  events,
  logs: logsOf(),
  files: filesOf(),
  leader: () => 'localhost:8080',
  info: () => describeSetup(daemon),
  metrics,
  now: Date.now,
  random: Math.random,
  endpointsPortSuffix: false,
  onError: (_what, error) => fail(error),
});
const deliver = async (): Promise<void> => {
  while (mesos.inbox.length > 0) {
    await Promise.all(mesos.inbox.splice(0).map((event) => runner.submit({ type: 'mesos', event })));
  }
};
mesos.subscribe(true);
await deliver();
const changes = checkedApps(apps, each).map((app) => ({
  op: 'create' as const,
  app: appSchema.parse(app),
  api: 'v2' as const,
}));
await runner.submit({ type: 'change', changes, force: false, seed: 0 });
for (let left = 100; state.tasks.size < apps * each && left > 0; left -= 1) {
  mesos.offer();
  await deliver();
}
while (mesos.work()) await deliver();
await api.listen({ host: '127.0.0.1', port: 0 });
const ids = [...state.tasks.keys()];
const isWell = new Map<string, boolean>();
let changed = 0;
/** Changes the health of some tasks, spread over the apps, which changes every answer. */
const change = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i += 1) {
    const id = ids[(changed * 7919) % ids.length] ?? '';
    const healthy = !isWell.get(id);
    changed += 1;
    isWell.set(id, healthy);
    mesos.advance(id, 'TASK_RUNNING', { healthy });
  }
  await deliver();
};
for (let left = ids.length; left > 0; left -= 100) await change(Math.min(left, 100));
process.on('message', async (message: { change: number } | 'rss') => {
  if (message === 'rss') {
    process.send?.({ rss: process.memoryUsage().rss });
    return;
  }
  await change(message.change);
  process.send?.('changed');
});
process.send?.({ port: (api.server.address() as AddressInfo).port, tasks: ids.length });
