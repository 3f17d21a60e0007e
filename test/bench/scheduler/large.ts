/** Measures the scheduler's core with very many agents, apps and tasks: their placement, and a restart of every app. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { SchedulerEvent } from '../../../src/mesos/types.ts';
import type { Change } from '../../../src/scheduler/decide/inputs.ts';
import { appSchema } from '../../../src/scheduler/domain/app-schema.ts';
import { SimulatedMesos } from '../../../src/simulator/mesos.ts';
import { Random } from '../../../src/simulator/random.ts';
import type { Order, Report } from './large-process.ts';

/** Messages of the master with which the scheduler is busy for some milliseconds. */
const UPDATES_AT_ONCE = 1000;
const OFFERS_OF_EVENT = 200;
const CHANGES_AT_ONCE = 100;
/** Apps that are restarted at the same time. */
const RESTARTED_AT_ONCE = 200;
/** The scheduler needs more than Node's limit of 4 GiB, if ever. */
const HEAP = '--max-old-space-size=8192';

/** A phase: all tasks are placed, they report that they run, every app is restarted. */
export interface LargeFigures {
  readonly phase: 'placed' | 'running' | 'restarted';
  /** Processor time in steps for each task. */
  readonly taskUs: number;
  readonly longestMs: number;
  readonly rssMiB: number;
  /** Since the start. */
  readonly mostMiB: number;
}

export async function measureLarge(
  checkout: string,
  agents: number,
  tasks: number,
  apps: number,
  seed: number,
  show: (figures: LargeFigures) => void,
): Promise<void> {
  const { RUNTIME_FLAGS } = (await import(
    path.join(checkout, 'src/install/wanted/scheduler.ts')
  )) as typeof import('../../../src/install/wanted/scheduler.ts');
  const child = fork(path.join(import.meta.dirname, 'large-process.ts'), [checkout], {
    execArgv: [...RUNTIME_FLAGS, HEAP],
    serialization: 'advanced',
  });
  const memory = (field: string): number => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024);
  };
  try {
    await once(child, 'message');
    const random = new Random(seed);
    const mesos = new SimulatedMesos(
      Array.from({ length: agents }, (_, i) => ({
        id: `b7c1e1d2-7f31-4a3a-a3f4-0123456789ab-S${i}`,
        host: `agent${i}.cluster.example`,
        cpus: random.integer(8, 32),
        mem: 65_536,
        ports: 100,
      })),
    );
    let busyMs = 0;
    let longestMs = 0;
    let last: Report | undefined;
    const order = async (events: readonly SchedulerEvent[], changes: readonly Change[]): Promise<void> => {
      child.send({ events, changes } satisfies Order);
      const [report] = (await once(child, 'message')) as [Report];
      busyMs += report.busyMs;
      longestMs = Math.max(longestMs, report.longestMs);
      for (const call of report.calls) mesos.call(call);
      last = report;
    };
    const deliver = async (): Promise<void> => {
      while (mesos.inbox.length > 0) {
        const events = mesos.inbox.flatMap(inParts);
        mesos.inbox = [];
        let lot: SchedulerEvent[] = [];
        for (const event of events) {
          lot.push(event);
          if (event.type !== 'OFFERS' && lot.length < UPDATES_AT_ONCE) continue;
          await order(lot, []);
          lot = [];
        }
        if (lot.length > 0) await order(lot, []);
      }
    };
    const end = (phase: LargeFigures['phase']) => {
      const taskUs = (busyMs / tasks) * 1000;
      show({ phase, taskUs, longestMs, rssMiB: memory('VmRSS'), mostMiB: memory('VmHWM') });
      busyMs = 0;
      longestMs = 0;
    };
    mesos.subscribe(true);
    await deliver();
    const definitions = Array.from({ length: apps }, (_, i) =>
      appSchema.parse({
        id: `/group${i % 100}/app${i}`,
        cmd: 'sleep 600',
        instances: Math.floor(tasks / apps),
        cpus: random.pick([0.1, 0.2, 0.5]),
        mem: 64,
        portDefinitions: i % 2 === 0 ? [{ port: 0 }] : [],
      }),
    );
    for (let from = 0; from < apps; from += CHANGES_AT_ONCE) {
      const some = definitions.slice(from, from + CHANGES_AT_ONCE);
      await order(
        [],
        some.map((app) => ({ op: 'create', app, api: 'v2' })),
      );
    }
    while ((last?.tasks ?? 0) < Math.floor(tasks / apps) * apps) {
      const before = last?.tasks;
      mesos.offer();
      await deliver();
      if (last?.tasks === before) throw new Error(`only ${before} of ${tasks} tasks found a place`);
    }
    end('placed');
    while (mesos.work()) await deliver();
    end('running');
    for (let from = 0; from < apps; from += RESTARTED_AT_ONCE) {
      const some = definitions.slice(from, from + RESTARTED_AT_ONCE);
      await order(
        [],
        some.map(({ id }) => ({ op: 'restart', appId: id })),
      );
      for (let left = 100; (last?.deployments ?? 0) > 0; left -= 1) {
        if (left === 0) throw new Error(`${last?.deployments} deployments did not end`);
        await deliver();
        mesos.offer();
        await deliver();
        mesos.work();
        await deliver();
      }
    }
    end('restarted');
  } finally {
    child.disconnect();
  }
}

/** A master offers what became free since its last allocation; here all agents at once would be one event. */
function inParts(event: SchedulerEvent): SchedulerEvent[] {
  if (event.type !== 'OFFERS') return [event];
  const { offers } = event.offers;
  return Array.from({ length: Math.ceil(offers.length / OFFERS_OF_EVENT) }, (_, i) => ({
    type: 'OFFERS',
    offers: { offers: offers.slice(i * OFFERS_OF_EVENT, (i + 1) * OFFERS_OF_EVENT) },
  }));
}
