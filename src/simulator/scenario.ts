/** The schema of a scenario: agents, apps, changes and faults. Times in seconds. */

import * as z from 'zod';
import { appSchema } from '../scheduler/domain/app-schema.ts';

const WHOLE = 'must be a whole number';
const NUMBER = 'must be a number';

const whole = (least: number, most: number) =>
  z.int({ error: WHOLE }).min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const number = (least: number, most: number) =>
  z.number({ error: NUMBER }).min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const share = number(0, 1);
const perMinute = number(0, 1000).default(0);
const MAX_SECONDS = 1e6;

/** A number, or a range. */
const span = z
  .union([number(0, MAX_SECONDS), z.tuple([number(0, MAX_SECONDS), number(0, MAX_SECONDS)])], {
    error: 'must be a number of seconds, or a range: [1, 5]',
  })
  .transform((value): readonly [number, number] => (typeof value === 'number' ? [value, value] : value))
  .refine(([least, most]) => least <= most, 'must have the smaller number first');

/** @param what the expected value, worded to follow "must be" */
function object<T extends z.ZodRawShape>(shape: T, what = 'an object') {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `has unknown fields: ${issue.keys.join(', ')}` : `must be ${what}`,
  });
}

const agents = object({
  count: whole(1, 100_000).default(1),
  cpus: number(0, 1e6).default(4),
  /** MiB */
  mem: number(0, 1e9).default(8192),
  /** MiB */
  disk: number(0, 1e9).default(10_000),
  /** Number of ports, from 31000. */
  ports: whole(1, 30_000).default(1000),
  attributes: z.record(z.string(), z.string({ error: 'must be a string' })).default({}),
});

const app = object(
  {
    /** In the format of Marathon's v2 API. */
    app: appSchema,
    /** Time until a task runs, and until it ends after a kill. */
    start: span.prefault([1, 5]),
    stop: span.prefault([0, 5]),
    /** Time after which a task ends by itself with exit code 0. Absent: it keeps running. */
    run: span.optional(),
    /** Share of the tasks that fail, at their start or later. */
    failureRate: share.default(0),
    /** Health changes of a task per minute, if the app has health checks. */
    unwellPerMinute: perMinute,
  },
  'an object with an app',
);

const at = number(0, MAX_SECONDS);
const id = z.string({ error: 'must be the id of an app' });
const change = z.union(
  [
    z.strictObject({ at, scale: id, instances: whole(0, 1_000_000) }),
    z.strictObject({ at, update: id, fields: z.record(z.string(), z.unknown()) }),
    z.strictObject({ at, restart: id }),
    z.strictObject({ at, remove: id }),
  ],
  {
    error:
      'must be one of {at, scale, instances}, {at, update, fields}, {at, restart} and {at, remove}, with an app’s id',
  },
);

const faults = object({
  /** The scheduler is killed during a batch of inputs, and restarts after some seconds. */
  schedulerCrashesPerMinute: perMinute,
  /** Another scheduler takes over with the stored state. */
  leaderFailoversPerMinute: perMinute,
  masterFailoversPerMinute: perMinute,
  /** The scheduler's connection to the master breaks. */
  disconnectsPerMinute: perMinute,
  /** An agent is unreachable for a while, and returns with its tasks. */
  partitionsPerMinute: perMinute,
  /** An agent is lost permanently with its tasks, and replaced. */
  agentLossesPerMinute: perMinute,
  rescindsPerMinute: perMinute,
  /** Shares of the agents' updates, and of the scheduler's calls. */
  lostUpdates: share.default(0),
  repeatedUpdates: share.default(0),
  lostCalls: share.default(0),
  refusedCalls: share.default(0),
});

export const scenarioSchema = object(
  {
    seed: whole(0, 2 ** 31 - 1).default(1),
    /** Duration of changes and faults. After that the cluster must come to rest. */
    seconds: number(1, MAX_SECONDS).default(600),
    /** Latency of a message in either direction. */
    latencyMs: span.prefault([1, 20]),
    agents: z.array(agents, { error: 'must be a list of agents' }).min(1, 'may not be empty'),
    apps: z.array(app, { error: 'must be a list of apps' }).max(100_000, 'has too many apps'),
    changes: z.array(change, { error: 'must be a list of changes' }).default([]),
    /** Random changes: apps are scaled, updated, restarted, removed, created, killed; deployments are cancelled. */
    randomChangesPerMinute: perMinute,
    faults: faults.prefault({}),
  },
  'an object with agents and apps',
).superRefine((scenario, context) => {
  const ids = new Set<string>();
  for (const [i, { app: one }] of scenario.apps.entries()) {
    if (ids.has(one.id)) {
      const path = ['apps', i, 'app', 'id'];
      context.addIssue({ code: 'custom', path, message: `${one.id} is used twice` });
    }
    ids.add(one.id);
  }
});

export type Scenario = z.output<typeof scenarioSchema>;
export type SimulatedApp = Scenario['apps'][number];
export type ScenarioInput = z.input<typeof scenarioSchema>;
