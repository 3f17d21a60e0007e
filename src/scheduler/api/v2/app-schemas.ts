/** Schemas of apps, tasks and groups in v2. */

import * as z from 'zod';
import { TASK_STATES } from '../../../mesos/types.ts';
import { appFields } from '../../domain/app-schema.ts';
import { emptyList, type Shown, time } from '../openapi/shown.ts';

const taskState = z.enum(TASK_STATES);
const count = z.number();
const reference = z.object({ id: z.string() });

export const taskAddress = z.object({ ipAddress: z.string(), protocol: z.enum(['IPv4', 'IPv6']) });

const healthResult = z.object({
  alive: z.boolean(),
  consecutiveFailures: count,
  firstSuccess: time.optional(),
  lastSuccess: time.optional(),
  lastFailure: time.optional(),
  lastFailureCause: z.string().optional(),
  instanceId: z.string(),
  taskId: z.string(),
});

export const readinessResult = z.object({
  name: z.string(),
  taskId: z.string(),
  ready: z.boolean(),
  lastResponse: z
    .object({ status: count, contentType: z.string(), body: z.string() })
    .optional()
    .meta({ description: 'With preserveLastResponse' }),
});

const task = z.object({
  id: z.string(),
  appId: z.string(),
  host: z.string(),
  ports: z.array(z.number()),
  servicePorts: z.array(z.number()),
  slaveId: z.string(),
  state: taskState,
  stagedAt: time,
  startedAt: time.optional(),
  version: time,
  /** Of the container's networks, or of the agent. */
  ipAddresses: z.array(taskAddress),
  /** The persistent volumes of its instance. */
  localVolumes: z.array(
    z.object({
      runSpecId: z.string(),
      containerPath: z.string(),
      uuid: z.string(),
      persistenceId: z.string(),
    }),
  ),
  healthCheckResults: z.array(healthResult).optional(),
});

const failure = z.object({
  appId: z.string(),
  host: z.string(),
  message: z.string(),
  state: taskState,
  taskId: z.string(),
  timestamp: time,
  version: time,
  slaveId: z.string(),
});

const stats = z.object({
  stats: z.object({
    counts: z.object({ staged: count, running: count, healthy: count, unhealthy: count }),
  }),
});

const { mode } = appFields.shape;

const definition = z.object({
  ...appFields.shape,
  role: z.string(),
  mode: mode.unwrap().optional().meta({ description: 'Absent if the mode is service' }),
  containerizer: z.enum(['docker', 'mesos']).optional().meta({
    description: "Mesos' own containerizer that runs the image; absent if an executor does",
  }),
  version: time,
  versionInfo: z.object({ lastScalingAt: time, lastConfigChangeAt: time }),
});

const counts = z.object({
  tasksStaged: count,
  tasksRunning: count,
  tasksHealthy: count,
  tasksUnhealthy: count,
});

const taskStats = z.object({
  startedAfterLastScaling: stats,
  withLatestConfig: stats,
  withOutdatedConfig: stats,
  totalSummary: stats,
});

export const warning = z.object({
  path: z.string().meta({ description: 'For example /healthChecks(0)/ignoreHttp1xx' }),
  message: z.string(),
});

const app = definition
  .extend({
    ...counts.partial().shape,
    deployments: z.array(reference).optional(),
    readinessCheckResults: z.array(readinessResult).optional(),
    lastTaskFailure: failure.optional(),
    tasks: z.array(task).optional(),
    taskStats: taskStats.optional(),
    warnings: z
      .array(warning)
      .optional()
      .meta({ description: 'Fields of the definition that have no effect' }),
  })
  .meta({ description: 'Optional fields are shown if embed names them, some always' });

const group = z.object({
  id: z.string(),
  version: time,
  dependencies: z.array(z.string()),
  apps: z.array(app),
  get groups() {
    return z.array(group);
  },
  pods: emptyList,
});

const next = z.string().optional().meta({ description: 'The cursor of the following page' });
/** Of a task that ended before it could be read, only the id is known. */
const ended = z.union([task, reference]);

/** Named as in the API's description. */
export const v2AppSchemas = {
  AppVersion: definition,
  AppStatus: app,
  AppList: z.object({ apps: z.array(app), next }),
  Task: task,
  TaskList: z.object({ tasks: z.array(task), next }),
  EndedTasks: z.object({ tasks: z.array(ended) }),
  EndedTask: z.object({ task: ended.nullable() }),
  GroupStatus: group,
};

export type DefinitionJson = Shown<typeof definition>;
export type AppJson = Shown<typeof app>;
export type HealthResultJson = Shown<typeof healthResult>;
export type ReadinessResultJson = Shown<typeof readinessResult>;
export type TaskJson = Shown<typeof task>;
export type CountsJson = Shown<typeof counts>;
export type FailureJson = Shown<typeof failure>;
export type WarningJson = Shown<typeof warning>;
export type TaskStatsJson = Shown<typeof taskStats>;
export type GroupJson = Shown<typeof group>;
