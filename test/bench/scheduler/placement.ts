/** Measures how fast the core places tasks: with offers of simulated agents, and apps with many instances. */

import type { Input } from '../../../src/scheduler/decide/inputs.ts';
import { appSchema } from '../../../src/scheduler/domain/app-schema.ts';
import { Core } from '../../../src/simulator/core.ts';
import { SimulatedMesos } from '../../../src/simulator/mesos.ts';
import { Random } from '../../../src/simulator/random.ts';
import { SETTINGS } from '../../../src/simulator/simulation.ts';

export interface Placement {
  readonly agents: number;
  readonly tasks: number;
  readonly apps: number;
  readonly offers: number;
  /** The core only: decisions, settling, and application to the state. */
  readonly coreMs: number;
  /** Until all tasks are running, including Mesos and disk. */
  readonly wholeMs: number;
}

export function place(agents: number, tasks: number, apps: number, seed: number): Placement {
  const random = new Random(seed);
  const specs = Array.from({ length: agents }, (_, i) => ({
    id: `S${i}`,
    host: `agent${i}`,
    cpus: random.integer(8, 32),
    mem: 65_536,
    ports: 100,
  }));
  const mesos = new SimulatedMesos(specs);
  const core = new Core(SETTINGS, {}, Infinity);
  let coreMs = 0;
  const input = (one: Input): void => {
    const began = performance.now();
    const { calls } = core.take([one], 1_000_000);
    coreMs += performance.now() - began;
    for (const call of calls) mesos.call(call);
  };
  const deliver = (): void => {
    for (const event of mesos.inbox.splice(0)) input({ type: 'mesos', event });
  };
  mesos.subscribe(true);
  deliver();
  const began = performance.now();
  const each = Math.floor(tasks / apps);
  for (let i = 0; i < apps; i += 1) {
    const instances = each + (i < tasks - each * apps ? 1 : 0);
    const fields = {
      id: `/app${i}`,
      cmd: 'sleep 600',
      instances,
      cpus: random.pick([0.1, 0.2, 0.5]),
      mem: 64,
    };
    const app = appSchema.parse({ ...fields, portDefinitions: i % 2 === 0 ? [{ port: 0 }] : [] });
    input({
      type: 'change',
      changes: [{ op: 'create', app, api: 'v2' }],
      force: false,
      seed: random.fraction(),
    });
  }
  while (core.state.tasks.size < tasks) {
    const before = core.state.tasks.size;
    mesos.offer();
    deliver();
    if (core.state.tasks.size === before) throw new Error(`only ${before} of ${tasks} tasks found a place`);
  }
  const placedMs = coreMs;
  while (mesos.work()) while (mesos.inbox.length > 0) deliver();
  return {
    agents,
    tasks,
    apps,
    offers: mesos.offerCount,
    coreMs: placedMs,
    wholeMs: performance.now() - began,
  };
}

/** @returns the cost of a task update in microseconds, the minimum of several rounds, with many apps of one instance */
export function updateCost(apps: number): number {
  const mesos = new SimulatedMesos([{ id: 'S', host: 'agent', cpus: apps, mem: apps * 64, ports: apps }]);
  const core = new Core(SETTINGS, {}, Infinity);
  const deliver = (): void => {
    for (const event of mesos.inbox.splice(0)) {
      for (const call of core.take([{ type: 'mesos', event }], 1_000_000).calls) mesos.call(call);
    }
  };
  mesos.subscribe(true);
  deliver();
  const changes = Array.from({ length: apps }, (_, i) => ({
    op: 'create' as const,
    app: appSchema.parse({ id: `/app${i}`, cmd: 'sleep 600', cpus: 0.5, mem: 32 }),
    api: 'v2' as const,
  }));
  for (const call of core.take([{ type: 'change', changes, force: false, seed: 0 }], 1_000_000).calls)
    mesos.call(call);
  // The number of tasks per offer is limited.
  while (core.state.waiting.size > 0) {
    mesos.offer();
    deliver();
  }
  while (mesos.work()) while (mesos.inbox.length > 0) deliver();
  const ids = [...core.state.tasks.keys()];
  const updates = 20_000;
  let least = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const began = performance.now();
    for (let i = 0; i < updates; i += 1) {
      const value = ids[(i * 7919) % ids.length] ?? '';
      const status = {
        task_id: { value },
        agent_id: { value: 'S' },
        state: 'TASK_RUNNING' as const,
        // Each update changes the health.
        healthy: (Math.floor(i / ids.length) + round) % 2 === 0,
        uuid: 'u',
      };
      core.take([{ type: 'mesos', event: { type: 'UPDATE', update: { status } } }], 1_000_000 + i);
    }
    least = Math.min(least, ((performance.now() - began) / updates) * 1000);
  }
  return least;
}
