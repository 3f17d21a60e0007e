/**
 * The scheduler's decisions, events and notices without HTTP and disk, in a process of its own: what is stored is encoded
 * and forgotten. Controlled by the parent process, which has the simulated Mesos. Arguments: a checkout whose sources are
 * measured.
 */

import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { SchedulerEvent } from '../../../src/mesos/types.ts';
import type { Call, Change, Input } from '../../../src/scheduler/decide/inputs.ts';
import type { Store } from '../../../src/scheduler/store/store.ts';

export interface Order {
  readonly events: readonly SchedulerEvent[];
  /** Each by a request of its own. */
  readonly changes: readonly Change[];
}

/** Since the last report. */
export interface Report {
  readonly calls: readonly Call[];
  readonly tasks: number;
  readonly running: number;
  readonly deployments: number;
  /** Processor time of the main thread in steps, including the encoding of what is stored. */
  readonly busyMs: number;
  /** Of a step, by the clock. */
  readonly longestMs: number;
}

const [checkout = ''] = process.argv.slice(2);
type Sources = {
  runner: typeof import('../../../src/scheduler/runner.ts');
  scheduler: typeof import('../../../src/scheduler/scheduler.ts');
  'domain/state': typeof import('../../../src/scheduler/domain/state.ts');
  'api/v2/event-stream': typeof import('../../../src/scheduler/api/v2/event-stream.ts');
  'store/frames': typeof import('../../../src/scheduler/store/frames.ts');
};
const source = async <K extends keyof Sources>(name: K): Promise<Sources[K]> =>
  (await import(path.join(checkout, 'src/scheduler', `${name}.ts`))) as Sources[K];
const { createRunner } = await source('runner');
const { noticesFor } = await source('scheduler');
const { createState } = await source('domain/state');
const { EventStreams } = await source('api/v2/event-stream');
const { encodeFrame } = await source('store/frames');
const { SETTINGS } = (await import(
  path.join(checkout, 'src/simulator/simulation.ts')
)) as typeof import('../../../src/simulator/simulation.ts');

const fail = (error: unknown): never => {
  throw error instanceof Error ? error : new Error(String(error));
};
const processorMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
let began = 0;
let processorBegan = 0;
let busyMs = 0;
let longestMs = 0;
const end = (): void => {
  busyMs += processorMs() - processorBegan;
  longestMs = Math.max(longestMs, performance.now() - began);
};
const store = {
  append: async (events) => {
    encodeFrame(events);
    end();
    await setImmediate();
  },
  snapshotDue: () => false,
} as Partial<Store> as Store;
let calls: Call[] = [];
const state = createState(SETTINGS);
const streams = new EventStreams();
const runner = createRunner({
  state,
  store,
  // Called at the beginning of each step.
  now: () => {
    began = performance.now();
    processorBegan = processorMs();
    return Date.now();
  },
  send: async (call) => void calls.push(call),
  describe: noticesFor,
  publish: (notices) => {
    for (const one of notices) if ('eventType' in one) streams.publish(one);
  },
  onError: (_what, error) => fail(error),
  onFatal: fail,
  onNewSession: () => {},
});

let running = 0;
const report = (): void => {
  process.send?.({
    calls,
    tasks: state.tasks.size,
    running,
    deployments: state.deployments.size,
    busyMs,
    longestMs,
  } satisfies Report);
  calls = [];
  busyMs = 0;
  longestMs = 0;
};
process.once('disconnect', () => process.exit());
process.on('message', async ({ events, changes }: Order) => {
  const inputs: Input[] = [
    ...events.map((event) => ({ type: 'mesos' as const, event })),
    ...changes.map((change) => ({ type: 'change' as const, changes: [change], force: true, seed: 0 })),
  ];
  const replies = await Promise.all(inputs.map((input) => runner.submit(input)));
  for (const reply of replies) if (reply && reply.type !== 'deployed') fail(JSON.stringify(reply));
  for (const event of events)
    if (event.type === 'UPDATE' && event.update.status.state === 'TASK_RUNNING') running += 1;
  report();
});
report();
