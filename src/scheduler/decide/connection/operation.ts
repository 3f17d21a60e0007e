import type { OperationState, OperationStatus } from '../../../mesos/types.ts';
import type { StateEvent } from '../../domain/events.ts';
import { type OperationName, parseOperationId, type Reservation } from '../../domain/reservation.ts';
import { ownerOf, type State } from '../../domain/state.ts';
import type { Call, Decision } from '../inputs.ts';
import { REMOVAL_RETRY_MS } from '../placement/give-back.ts';
import { nextDelay } from './update.ts';

const FAILED: ReadonlySet<OperationState> = new Set([
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  // Answers of a reconciliation: the operation never reached the agent, or the agent is gone.
  'OPERATION_UNKNOWN',
  'OPERATION_GONE_BY_OPERATOR',
]);
/** How Mesos says that an offer was rescinded in the meantime: the operation may succeed with another one. */
const INVALID_OFFERS = 'Operation attempted with invalid offers';
/** Mesos would refuse the operation again. */
const REFUSED: ReadonlySet<OperationState> = new Set(['OPERATION_FAILED', 'OPERATION_ERROR']);

/** Handles the result of an operation on the resources of an instance. */
export function handleOperation(state: State, status: OperationStatus, now: number): Decision {
  const calls = acknowledge(status);
  const named = parseOperationId(status.operation_id?.value ?? '');
  const reservation = named && state.reservations.get(named.reservationId);
  if (!reservation) return { events: [], calls };
  const isDone = status.state === 'OPERATION_FINISHED';
  if (!isDone && !FAILED.has(status.state)) return { events: [], calls };
  const events = isDone
    ? handleDone(reservation, named.name, now)
    : handleFailure(state, reservation, named.name, status, now);
  return { events, calls };
}

function acknowledge({ uuid, agent_id, operation_id }: OperationStatus): Call[] {
  if (!uuid || !agent_id || !operation_id) return [];
  const acknowledge_operation_status = { agent_id, uuid: uuid.value, operation_id };
  return [{ type: 'ACKNOWLEDGE_OPERATION_STATUS', acknowledge_operation_status }];
}

function handleDone(reservation: Reservation, name: OperationName, at: number): StateEvent[] {
  const { id: reservationId, state } = reservation;
  if (name === 'unreserve') {
    return reservation.leaving ? [{ type: 'reservation_removed', reservationId, at }] : [];
  }
  if (name === 'create' && state !== 'held') {
    return [{ type: 'reservation_changed', reservationId, state: 'held', at }];
  }
  if (name === 'reserve' && state === 'requested') {
    return [{ type: 'reservation_changed', reservationId, state: 'reserved', at }];
  }
  return [];
}

function handleFailure(
  state: State,
  reservation: Reservation,
  name: OperationName,
  status: OperationStatus,
  at: number,
): StateEvent[] {
  const { id: reservationId, state: known } = reservation;
  const report = reportRefusal(state, reservation, name, status, at);
  if (name === 'reserve') {
    // The acknowledged result of an operation is unknown to Mesos, too.
    return known === 'requested' ? [{ type: 'reservation_removed', reservationId, at }, ...report] : [];
  }
  if (name === 'create') {
    if (known === 'held' || reservation.leaving) return [];
    return [{ type: 'reservation_changed', reservationId, state: known, leaving: true, at }, ...report];
  }
  return [{ type: 'removal_postponed', reservationId, until: at + REMOVAL_RETRY_MS }, ...report];
}

/** Operations that are repeated with the next launch. A refused removal does not hold up other instances. */
const OF_LAUNCH: ReadonlySet<OperationName> = new Set(['reserve', 'create']);

/** A refusal is shown in the queue, and delays the next attempt. */
function reportRefusal(
  state: State,
  reservation: Reservation,
  name: OperationName,
  { state: result, message = '' }: OperationStatus,
  at: number,
): StateEvent[] {
  const record = ownerOf(state, reservation);
  if (!REFUSED.has(result) || message.startsWith(INVALID_OFFERS) || !record) return [];
  const { appId, host } = reservation;
  const text = `${name.toUpperCase()} was refused: ${message}`;
  const refused: StateEvent = { type: 'operation_refused', appId, host, message: text, at };
  if (!OF_LAUNCH.has(name) || !record.active || (record.delay?.until ?? 0) > at) return [refused];
  const delayMs = Math.max(1000, nextDelay(record.active, record.delay?.ms, false));
  return [
    refused,
    { type: 'app_delayed', appId, delayMs, at },
    { type: 'timer_set', at: at + delayMs, timer: { kind: 'delay', appId } },
  ];
}
