import type { TaskState } from '../../mesos/types.ts';

/** A persistent volume of an instance. */
export interface LocalVolume {
  readonly containerPath: string;
  readonly uuid: string;
  /** The id at Mesos. */
  readonly persistenceId: string;
}

/** The reserved resources and volumes of an instance. They outlive its tasks. */
export interface Reservation {
  /** The id of the instance, which labels the resources at Mesos. */
  readonly id: string;
  readonly appId: string;
  /** The run of the app that the instance belongs to. */
  readonly run: number;
  readonly agentId: string;
  readonly host: string;
  /** Host ports, in the order of the app's ports. */
  readonly ports: readonly number[];
  readonly volumes: readonly LocalVolume[];
  /** The agent's values of the constraints' fields at placement. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly reservedAt: number;
  /** What Mesos has confirmed: nothing, the reservation, or the volumes too. */
  state: 'requested' | 'reserved' | 'held';
  /** True if it is to be removed with its data. */
  leaving?: boolean;
  /** Number of launched tasks; numbers the next task. */
  launches: number;
  /** The running task; derived from the tasks, not stored. */
  taskId?: string;
  /** The last task and its final state, once it has ended. */
  lastTask?: { readonly id: string; readonly state: TaskState };
  /** Time before which no removal is tried again, since Mesos refused it; not stored. */
  retryAt?: number;
}

export const OPERATIONS = ['reserve', 'create', 'destroy', 'unreserve'] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** The id of an operation on a reservation. @param attempt distinguishes repeated operations */
export function operationId(name: OperationName, id: string, attempt = 0): string {
  return `${name}:${id}:${attempt}`;
}

/** @returns the operation and the id of its reservation; undefined for an id of somebody else */
export function parseOperationId(text: string): { name: OperationName; reservationId: string } | undefined {
  const [first, reservationId = ''] = text.split(':');
  const name = OPERATIONS.find((one) => one === first);
  return name && { name, reservationId };
}
