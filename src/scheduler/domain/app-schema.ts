/**
 * The schema of an app in Marathon's v2 API. It defines what requests may contain, the type of an app in the program,
 * and its description in the OpenAPI document. Source of names and defaults: Marathon 1.11.
 */

import * as z from 'zod';
import { isJson } from '../../json.ts';
import {
  EMPTY,
  environment,
  filled,
  flag,
  labels,
  list,
  number,
  oneOf,
  text,
  wholeNumber,
} from './app-fields.ts';
import { findCheckProblems } from './check-rules.ts';
import { constraintSchema, findConflicts } from './constraint.ts';
import { withDefaultPorts } from './default-ports.ts';
import { ownDockerFields } from './docker-fields.ts';
import { renameLegacyFields } from './legacy-fields.ts';
import { findNetworkProblems } from './network-rules.ts';
import { findResidencyProblems, persistentVolume, withResidency } from './residency.ts';
import { findSingleInstanceProblems } from './single-instance.ts';

export const MAX_INSTANCES = 1_000_000;
const MAX_AMOUNT = 1e12;
const MAX_PORTS = 100;
const MAX_SECONDS = 10 * 365 * 86_400;
const MAX_CHECKS = 20;
const MAX_PATH = 1024;
const TOO_LONG = `may have at most ${MAX_PATH} characters`;

const seconds = (least = 0) => number(least, MAX_SECONDS);
const port = wholeNumber(0, 65_535);
const protocol = z.enum(['tcp', 'udp', 'udp,tcp'], { error: "must be 'tcp', 'udp' or 'udp,tcp'" });
const portName = filled.regex(
  /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  "may only hold lower-case letters, digits and '-' between them",
);

const portMapping = z.object({
  /** 0: the same as the host port. */
  containerPort: port.default(0),
  /** 0: any port. */
  hostPort: port.optional(),
  /** 0: any free port. */
  servicePort: port.default(0),
  protocol: protocol.default('tcp'),
  name: portName.optional(),
  labels: labels.default({}),
});

const portDefinition = z.object({
  /** The service port; with `requirePorts` also the host port. 0: any free port. */
  port: port.default(0),
  protocol: protocol.default('tcp'),
  name: portName.optional(),
  labels: labels.default({}),
});

const volume = z.object(
  {
    containerPath: filled,
    /** A path of the host; a relative one is in the sandbox of the task. */
    hostPath: filled.optional(),
    mode: oneOf('RW', 'RO').default('RW'),
    /** Not in Marathon. Whether mounts inside the volume appear on the other side. */
    propagation: z
      .enum(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'], {
        error: 'must be private, rprivate, slave, rslave, shared or rshared',
      })
      .optional(),
    persistent: persistentVolume.optional(),
  },
  { error: 'must be an object with containerPath and hostPath' },
);

const docker = z.object(
  {
    image: filled,
    forcePullImage: flag.default(false),
    privileged: flag.default(false),
    /** Passed to `docker create` as `--KEY=VALUE`. */
    parameters: list(z.object({ key: filled, value: text }), 200).default([]),
    /** From v1: passed to `docker create` unchanged. */
    options: list(text, 200, 'must be an array of strings').optional(),
    ...ownDockerFields,
  },
  { error: 'must be an object with an image' },
);

const container = z.object(
  {
    type: oneOf('DOCKER', 'MESOS').default('MESOS'),
    docker: docker.optional(),
    volumes: list(volume, 100).default([]),
    portMappings: list(portMapping, MAX_PORTS).optional(),
  },
  { error: 'must be an object' },
);

const network = z.object({
  mode: z
    .enum(['host', 'container', 'container/bridge'], {
      error: "must be 'host', 'container' or 'container/bridge'",
    })
    .default('container'),
  name: filled.optional(),
  /** Not in Marathon. Further names of the container in a network of Docker that users made. */
  aliases: list(filled, 20).optional(),
});

const checkTiming = {
  gracePeriodSeconds: seconds().default(300),
  intervalSeconds: seconds(1).default(60),
  timeoutSeconds: seconds(1).default(20),
  maxConsecutiveFailures: wholeNumber(0, MAX_INSTANCES).default(3),
  delaySeconds: seconds().default(15),
};
const portOfCheck = {
  portIndex: wholeNumber(0, MAX_PORTS).optional(),
  port: wholeNumber(1, 65_535).optional(),
};

const healthCheck = z
  .object({
    protocol: oneOf('HTTP', 'HTTPS', 'TCP', 'COMMAND', 'MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP').default(
      'HTTP',
    ),
    /** Without a '/' at its beginning, one is added in requests. */
    path: text.max(MAX_PATH, TOO_LONG).optional(),
    command: z.object({ value: filled }, { error: 'must be an object with a value' }).optional(),
    ...portOfCheck,
    ignoreHttp1xx: flag.default(false),
    ...checkTiming,
  })
  .refine(({ protocol: kind, command }) => kind !== 'COMMAND' || command !== undefined, {
    path: ['command'],
    error: EMPTY,
  });

/** The scheduler makes the checks HTTP, HTTPS and TCP; the executor on the agent makes the others. */
export const healthCheckSchema = z.preprocess(withPortIndex, healthCheck);

/** Names the port of a check: marathon-lb ignores a check without a portIndex. Source: Marathon's AppNormalization. */
export function withPortIndex<T>(check: T): T {
  if (!isJson(check) || check.port !== undefined || check.portIndex !== undefined) return check;
  return String(check.protocol).toUpperCase() === 'COMMAND' ? check : { ...check, portIndex: 0 };
}

const readinessCheck = z.object({
  name: filled.default('readinessCheck'),
  protocol: oneOf('HTTP', 'HTTPS').default('HTTP'),
  path: filled.max(MAX_PATH, TOO_LONG).default('/'),
  portName: filled.default('http-api'),
  intervalSeconds: seconds(1).default(30),
  timeoutSeconds: seconds(1).default(10),
  httpStatusCodesForReady: list(wholeNumber(100, 999), 100).default([200]),
  preserveLastResponse: flag.default(false),
});

const fetchEntry = z.object({
  uri: filled,
  extract: flag.default(true),
  executable: flag.default(false),
  cache: flag.default(false),
  /** Path of the file in the sandbox, instead of the last part of the URI. */
  destPath: text
    .regex(
      /^(?!\/)(?!(.*\/)?\.{1,2}(\/|$))[^\0]*[^/\0]$/s,
      "must be a relative path of a file, without '.' and '..'",
    )
    .optional(),
});

const fraction = number(0, 1);

/** The fields of an app, each on its own; `appSchema` adds the rules that concern several fields. */
export const appFields = z.object(
  {
    id: filled,
    cmd: text.optional(),
    args: list(text, 1000, 'must be an array of strings').optional(),
    user: filled.optional(),
    env: environment.default({}),
    labels: labels.default({}),
    instances: wholeNumber(0, MAX_INSTANCES).default(1),
    cpus: number(0.001, MAX_AMOUNT).default(1),
    /** MiB */
    mem: number(0, MAX_AMOUNT).default(128),
    /** MiB */
    disk: number(0, MAX_AMOUNT).default(0),
    gpus: wholeNumber(0, 10_000).default(0),
    executor: text.regex(/^(\/\/cmd|\/[^/].*|)$/, "must be '//cmd', an absolute path, or empty").default(''),
    constraints: list(constraintSchema, 100).default([]),
    fetch: list(fetchEntry, 100).default([]),
    acceptedResourceRoles: list(filled, 100).min(1, EMPTY).optional(),
    role: filled.optional(),
    container: container.optional(),
    networks: list(network, 10).default([{ mode: 'host' }]),
    portDefinitions: list(portDefinition, MAX_PORTS).default([]),
    /** Uses the service ports as host ports. */
    requirePorts: flag.default(false),
    healthChecks: list(healthCheckSchema, MAX_CHECKS).default([]),
    readinessChecks: list(readinessCheck, 1).default([]),
    dependencies: list(filled, 1000, 'must be an array of strings').default([]),
    upgradeStrategy: z
      .object({ minimumHealthCapacity: fraction.default(1), maximumOverCapacity: fraction.default(1) })
      .prefault({}),
    killSelection: oneOf('YOUNGEST_FIRST', 'OLDEST_FIRST').default('YOUNGEST_FIRST'),
    taskKillGracePeriodSeconds: seconds().optional(),
    /** Not in Marathon. Between the event `instance_draining` and the kill of a running task. */
    drainSeconds: seconds().optional(),
    backoffSeconds: seconds().default(1),
    backoffFactor: number(1, 1000).default(1.15),
    maxLaunchDelaySeconds: seconds().default(300),
    unreachableStrategy: z
      .union([
        z.literal('disabled'),
        z.object({
          inactiveAfterSeconds: seconds().default(0),
          /** 0: until the agent returns. */
          expungeAfterSeconds: seconds().default(0),
        }),
      ])
      .prefault({}),
    /** For apps with persistent volumes. As in Marathon 1.11, its fields have no effect. */
    residency: z
      .object({
        relaunchEscalationTimeoutSeconds: wholeNumber(0, MAX_SECONDS).default(3600),
        taskLostBehavior: oneOf('WAIT_FOREVER', 'RELAUNCH_AFTER_TIMEOUT').default('WAIT_FOREVER'),
      })
      .optional(),
    /**
     * Not in Marathon. A service keeps running, a daemon runs on every suitable agent, a job is done at exit code 0.
     */
    mode: z
      .enum(['service', 'daemon', 'job'], { error: "must be 'service', 'daemon' or 'job'" })
      .default('service'),
    /** Not in Marathon. A deployment without progress for this time fails and is rolled back. */
    progressDeadlineSeconds: seconds(1).optional(),
    /** Not in Marathon. A deployment with more failed tasks than this fails and is rolled back. */
    maxFailures: wholeNumber(0, MAX_INSTANCES).optional(),
    /** From v1; kept, without effect. */
    taskRateLimit: number(0, MAX_AMOUNT).optional(),
  },
  { error: 'must be a JSON object' },
);

type Fields = z.output<typeof appFields>;

/** Converts older names and fills in the defaults that depend on other fields. */
export function normalizeApp(sent: unknown): unknown {
  return withResidency(withDefaultPorts(renameLegacyFields(sent)));
}

export const appSchema = z.preprocess(
  normalizeApp,
  appFields.superRefine((app, context) => {
    for (const { path, message } of findContradictions(app)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  }),
);

/** The definition of an app, with every default filled in. */
export type AppDefinition = z.output<typeof appSchema>;

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function leavesSandbox(path: string): boolean {
  return !path.startsWith('/') && path.split('/').includes('..');
}

/** Validates the volumes. */
function* findVolumeProblems(app: Fields): Generator<Contradiction> {
  for (const [i, volume] of (app.container?.volumes ?? []).entries()) {
    const { containerPath, hostPath, propagation } = volume;
    const path = ['container', 'volumes', i];
    if (volume.persistent) continue;
    if (hostPath === undefined) {
      yield { path, message: 'has no hostPath: only host volumes are supported' };
    } else if (/[:\0]/.test(hostPath + containerPath)) {
      yield { path, message: "may not hold ':'" };
    } else if (!hostPath.startsWith('/') && !containerPath.startsWith('/')) {
      yield {
        path,
        message:
          'has two relative paths, which are both in the sandbox: use the files there without a volume',
      };
    } else if (leavesSandbox(hostPath) || leavesSandbox(containerPath)) {
      yield { path, message: "has a relative path, which is in the sandbox, that contains '..'" };
    } else if (propagation !== undefined && !hostPath.startsWith('/')) {
      yield { path: [...path, 'propagation'], message: 'needs a hostPath that is a path of the host' };
    }
  }
}

/** Finds invalid combinations of fields. */
export function* findContradictions(app: Fields): Generator<Contradiction> {
  if (app.cmd !== undefined && app.cmd !== '' && (app.args ?? []).length > 0) {
    yield { path: ['args'], message: "can't be combined with cmd: set only one of them" };
  }
  if (app.container?.type === 'DOCKER' && app.container.docker === undefined) {
    yield { path: ['container', 'docker'], message: 'may not be empty with container.type DOCKER' };
  }
  const ports = app.container?.portMappings ?? app.portDefinitions;
  const where = app.container?.portMappings ? ['container', 'portMappings'] : ['portDefinitions'];
  const names = ports.flatMap(({ name }) => name ?? []);
  if (new Set(names).size < names.length) yield { path: where, message: 'must have different names' };
  const definitions = app.portDefinitions.flatMap(({ port: service }) => (service === 0 ? [] : service));
  if (new Set(definitions).size < definitions.length)
    yield { path: ['portDefinitions'], message: 'must be different from each other' };
  yield* findCheckProblems(app, ports);
  yield* findNetworkProblems(app);
  yield* findVolumeProblems(app);
  if (app.unreachableStrategy !== 'disabled') {
    const { inactiveAfterSeconds: inactive, expungeAfterSeconds: expunge } = app.unreachableStrategy;
    if (expunge !== 0 && expunge < inactive) {
      const message = `must be at least inactiveAfterSeconds (${inactive})`;
      yield { path: ['unreachableStrategy', 'expungeAfterSeconds'], message };
    }
  }
  yield* findResidencyProblems(app);
  yield* findSingleInstanceProblems(app);
  const { drainSeconds = 0, progressDeadlineSeconds: deadline } = app;
  if (deadline !== undefined && drainSeconds >= deadline) {
    const message = `must be more than drainSeconds (${drainSeconds}), or no deployment that replaces tasks can succeed`;
    yield { path: ['progressDeadlineSeconds'], message };
  }
  // The number of agents for a daemon is unknown.
  const instances = app.mode === 'daemon' ? 0 : app.instances;
  for (const { index, message } of findConflicts(app.constraints, instances)) {
    yield { path: ['constraints', index], message };
  }
}
