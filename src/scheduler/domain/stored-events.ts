/**
 * Reads the events of a store or a backup, written by any release. Exactly the event types of `StoredEvent` are stored,
 * and each of them needs a codec here.
 *
 * The formats are permanent: test/fixtures holds files written by releases. An added field must be optional or have an
 * empty default (false, 0, '', [], or an object of those): older releases drop unknown empty fields, so a downgrade is
 * possible while the field is not in use. If a meaning changes, the event gets a new type, and the old type keeps a
 * codec that returns the new event. Unknown types, values and fields in use are rejected, since ignoring them would
 * lose data.
 */

import * as z from 'zod';
import { isJson } from '../../json.ts';
import { TASK_STATES } from '../../mesos/types.ts';
import { MismatchError } from '../../stored/mismatch.ts';
import { readerOf } from '../../stored/reader.ts';
import { record, type Shape } from '../../stored/record.ts';
import type { App } from './app.ts';
import { type AppDefinition, appFields } from './app-schema.ts';
import type { Action, Deployment } from './deployment.ts';
import type { RestoredApp, StateEvent, StoredEvent } from './events.ts';
import type { FieldError } from './field-errors.ts';
import type { FrameworkIdentity } from './framework-identity.ts';
import type { Group } from './group.ts';
import type { LocalVolume, Reservation } from './reservation.ts';
import type { TaskFailure } from './state.ts';
import type { Task } from './task.ts';

const text = z.string();
const number = z.number();
const flag = z.boolean();
const texts = z.array(text);
const taskState = z.enum(TASK_STATES);

const app = z.object({
  ...appFields.shape,
  ...({
    api: z.enum(['v1', 'v2']),
    version: text,
    configVersion: text,
    scaleVersion: text,
    containerizer: z.enum(['docker', 'mesos']).optional(),
    sandboxVolumes: z.literal(true).optional(),
    warnings: z.array(record<FieldError>({ path: z.array(z.union([text, number])), error: text })).optional(),
  } satisfies Shape<Omit<App, keyof AppDefinition>>),
});

const identity = record<FrameworkIdentity>({
  user: text,
  principal: text.optional(),
  checkpoint: flag,
  role: text,
});

const group = record<Group>({ id: text, dependencies: texts, version: text });

const action = record<Action>({
  type: z.enum(['start', 'scale', 'restart', 'stop']),
  appId: text,
  run: number.optional(),
});

const deployment = record<Deployment>({
  id: text,
  version: text,
  startedAt: number,
  steps: z.array(z.array(action)),
  appIds: texts,
  before: record<Deployment['before']>({
    apps: z.array(record<Deployment['before']['apps'][number]>({ id: text, app: app.optional() })),
    groups: z.array(record<Deployment['before']['groups'][number]>({ id: text, group: group.optional() })),
  }),
  rollbackOf: text.optional(),
});

const task = record<Task>({
  id: text,
  appId: text,
  run: number,
  version: text,
  configVersion: text,
  agentId: text,
  host: text,
  ports: z.array(number),
  executorId: text.optional(),
  fields: z.record(text, text).optional(),
  launchedAt: number,
  checked: flag,
  probes: number.optional(),
  passedBefore: flag.optional(),
  state: taskState,
  healthy: flag.optional(),
  // Not stored: they are learned again from the reconciliation, and the scheduler's checks run again after a restart.
  addresses: z.never().optional(),
  leaving: z.never().optional(),
  probed: z.never().optional(),
  agentResults: z.never().optional(),
  resumed: z.never().optional(),
  reason: text.optional(),
  message: text.optional(),
  runningAt: number.optional(),
  unreachableAt: number.optional(),
  inactive: flag.optional(),
  drainUntil: number.optional(),
  killedAt: number.optional(),
});

const reservation = record<Reservation>({
  id: text,
  appId: text,
  run: number,
  agentId: text,
  host: text,
  ports: z.array(number),
  volumes: z.array(record<LocalVolume>({ containerPath: text, uuid: text, persistenceId: text })),
  fields: z.record(text, text).optional(),
  reservedAt: number,
  state: z.enum(['requested', 'reserved', 'held']),
  leaving: flag.optional(),
  launches: number,
  lastTask: record<NonNullable<Reservation['lastTask']>>({ id: text, state: taskState }).optional(),
  // Not stored: the tasks say it, and refusals are learned again.
  taskId: z.never().optional(),
  retryAt: z.never().optional(),
});

const failure = record<TaskFailure>({
  taskId: text,
  host: text,
  agentId: text,
  version: text,
  state: taskState,
  message: text,
  at: number,
});

const restoredApp = record<RestoredApp>({
  versions: z.array(app),
  run: number,
  changedAt: number,
  launches: number,
  succeeded: number,
  frozen: flag,
  active: app.optional(),
  lastFailure: failure.optional(),
});

type EventOf<T extends StoredEvent['type']> = Extract<StoredEvent, { type: T }>;
/** The fields of every stored event. */
type Fields = { readonly [T in StoredEvent['type']]: Shape<Omit<EventOf<T>, 'type'>> };

const FIELDS: Fields = {
  release_changed: { release: text },
  framework_registered: { frameworkId: text, identity: identity.optional() },
  framework_forgotten: {},
  app_changed: { app, at: number },
  app_removed: { appId: text, at: number },
  group_changed: { group },
  group_removed: { groupId: text },
  deployment_started: { deployment },
  deployment_stepped: { deploymentId: text, step: number, at: number },
  deployment_ended: {
    deploymentId: text,
    outcome: z.enum(['success', 'failed', 'cancelled', 'superseded']),
    at: number,
    reason: text.optional(),
  },
  task_launched: { task },
  task_updated: {
    taskId: text,
    state: taskState,
    at: number,
    healthy: flag.optional(),
    reason: text.optional(),
    message: text.optional(),
  },
  task_draining: { taskId: text, at: number, until: number },
  task_killed: { taskId: text, at: number, unhealthy: text.optional() },
  task_given_up: { taskId: text, at: number },
  task_left: { taskId: text },
  left_task_ended: { taskId: text },
  instance_reserved: { reservation },
  reservation_changed: {
    reservationId: text,
    state: z.enum(['requested', 'reserved', 'held']),
    leaving: flag.optional(),
    at: number,
  },
  reservation_removed: { reservationId: text, at: number },
  counters_restored: { runs: number, deployments: number },
  app_restored: { record: restoredApp },
  deployment_restored: { deployment, step: number },
  reservation_restored: { reservation },
  task_restored: { task },
};

const READERS: ReadonlyMap<string, (value: unknown) => unknown> = new Map(
  Object.entries(FIELDS).map(([type, fields]) => [
    type,
    readerOf(z.object({ type: z.literal(type), ...fields })),
  ]),
);

export function isStored(event: StateEvent): event is StoredEvent {
  return READERS.has(event.type);
}

/** This release can't read an event. The message names the unknown part. */
export class UnreadableEventError extends Error {
  override name = 'UnreadableEventError';
}

/** @throws UnreadableEventError */
export function readEvent(stored: unknown): StoredEvent {
  const type = isJson(stored) ? String(stored.type) : typeof stored;
  const read = READERS.get(type);
  if (!read) throw new UnreadableEventError(`an event of unknown type "${type}"`);
  try {
    return read(stored) as StoredEvent;
  } catch (error) {
    if (!(error instanceof MismatchError)) throw error;
    throw new UnreadableEventError(
      `an event "${type}" whose field "${error.path.join('.')}" ${error.message}`,
    );
  }
}
