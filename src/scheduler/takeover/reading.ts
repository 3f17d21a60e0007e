/** Reads the answers of a running Marathon. Source of the fields: the RAML of Marathon 1.11. */

import * as z from 'zod';
import type { Json } from '../../json.ts';
import { TASK_STATES, type TaskState } from '../../mesos/types.ts';
import { type MarathonApps, readMarathon } from '../import/marathon.ts';

/** A task of an app, as Marathon shows it. */
export interface MarathonTask {
  readonly id: string;
  readonly appId: string;
  readonly agentId: string;
  readonly host: string;
  readonly ports: readonly number[];
  /** The version of the app at the launch. */
  readonly version: string;
  readonly state: TaskState;
  /** Milliseconds since the epoch. */
  readonly stagedAt?: number;
  readonly startedAt?: number;
  /** True if all health checks have passed; undefined without results. */
  readonly healthy?: boolean;
}

/** The state of a Marathon at one moment. */
export interface Reading {
  readonly frameworkId: string;
  /** Marathon's version. */
  readonly version: string;
  /** The masters as Marathon was started with them, and the URL of the leading one, if it shows them. */
  readonly masters?: string;
  readonly leadingMaster?: string;
  /**
   * Milliseconds after which ZooKeeper ends the session of an instance that was killed, and another one leads. Absent:
   * Marathon was started without an election.
   */
  readonly sessionTimeoutMs?: number;
  readonly apps: MarathonApps;
  /** Earlier definitions that tasks still run with, by `versionKey`. */
  readonly earlier: ReadonlyMap<string, Json>;
  readonly tasks: readonly MarathonTask[];
  readonly deployments: readonly { readonly id: string; readonly affectedApps: readonly string[] }[];
  /** Apps with missing instances. */
  readonly queue: readonly { readonly appId: string; readonly count: number }[];
}

export function versionKey(appId: string, version: string): string {
  return `${version} ${appId}`;
}

/** The bodies of Marathon's answers. */
export interface Answers {
  /** `GET /v2/info` */
  readonly info: unknown;
  /** `GET /v2/groups` */
  readonly groups: unknown;
  /** `GET /v2/tasks` */
  readonly tasks: unknown;
  /** `GET /v2/deployments` */
  readonly deployments: unknown;
  /** `GET /v2/queue` */
  readonly queue: unknown;
}

const text = z.string();
const time = text.transform((value) => Date.parse(value)).pipe(z.number());

/** The default of Marathon's --zk_session_timeout. */
const SESSION_TIMEOUT_MS = 10_000;

const infoAnswer = z.object({
  name: text.optional(),
  version: text.default('unknown'),
  frameworkId: text,
  marathon_config: z
    .object({ master: text.optional(), mesos_leader_ui_url: text.nullish(), ha: z.boolean().nullish() })
    .default({})
    .catch({}),
  zookeeper_config: z.object({ zk_session_timeout: z.number().nullish() }).default({}).catch({}),
});

const tasksAnswer = z.object({
  tasks: z.array(
    z.object({
      id: text,
      appId: text,
      // Missing for an instance that was killed with its agent and waits for another one.
      slaveId: text.nullish(),
      host: text,
      ports: z.array(z.number()).nullish(),
      version: text,
      state: z.enum(TASK_STATES),
      stagedAt: time.nullish().catch(undefined),
      startedAt: time.nullish().catch(undefined),
      healthCheckResults: z.array(z.object({ alive: z.boolean() }).nullable()).nullish(),
    }),
  ),
});

const deploymentsAnswer = z.array(z.object({ id: text, affectedApps: z.array(text).default([]) }));

const queueAnswer = z.object({
  queue: z.array(z.object({ count: z.number(), app: z.object({ id: text }).optional() })),
});

/** @returns the reading, or the path of the answer that is not Marathon's, with the reason */
export function readAnswers(
  { info, groups, tasks, deployments, queue }: Answers,
  earlier: ReadonlyMap<string, Json> = new Map(),
): Reading | { readonly path: string; readonly why: string } {
  const apps = readMarathon(groups);
  if (!apps) return { path: '/v2/groups', why: 'it has no list of apps' };
  const facts = infoAnswer.safeParse(info);
  if (!facts.success) return wrongAnswer('/v2/info', facts.error);
  const listed = tasksAnswer.safeParse(tasks);
  if (!listed.success) return wrongAnswer('/v2/tasks', listed.error);
  const running = deploymentsAnswer.safeParse(deployments);
  if (!running.success) return wrongAnswer('/v2/deployments', running.error);
  const waiting = queueAnswer.safeParse(queue);
  if (!waiting.success) return wrongAnswer('/v2/queue', waiting.error);
  const { frameworkId, version, marathon_config, zookeeper_config } = facts.data;
  const { master, mesos_leader_ui_url, ha } = marathon_config;
  return {
    frameworkId,
    version,
    ...(master !== undefined && { masters: master }),
    ...(mesos_leader_ui_url && { leadingMaster: mesos_leader_ui_url }),
    ...(ha !== false && { sessionTimeoutMs: zookeeper_config.zk_session_timeout ?? SESSION_TIMEOUT_MS }),
    apps,
    earlier,
    tasks: listed.data.tasks.flatMap(({ slaveId, ...task }) => (slaveId ? [taskOf(task, slaveId)] : [])),
    deployments: running.data,
    queue: waiting.data.queue.flatMap(({ count, app }) =>
      app && count > 0 ? [{ appId: app.id, count }] : [],
    ),
  };
}

type TaskJson = Omit<z.output<typeof tasksAnswer>['tasks'][number], 'slaveId'>;

function taskOf(
  { stagedAt, startedAt, healthCheckResults, ports, ...same }: TaskJson,
  agentId: string,
): MarathonTask {
  const results = (healthCheckResults ?? []).filter((one) => one !== null);
  return {
    ...same,
    agentId,
    ports: ports ?? [],
    ...(stagedAt && { stagedAt }),
    ...(startedAt && { startedAt }),
    ...(results.length > 0 && { healthy: results.every(({ alive }) => alive) }),
  };
}

function wrongAnswer(path: string, { issues }: z.ZodError): { path: string; why: string } {
  const [issue] = issues;
  return { path, why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}` };
}
