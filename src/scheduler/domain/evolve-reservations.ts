import { isTerminal } from '../../mesos/types.ts';
import { refresh } from './counts.ts';
import type { StateEvent } from './events.ts';
import type { Reservation } from './reservation.ts';
import { ownerOf, type State } from './state.ts';
import { instanceIdOf, type Task } from './task.ts';

export function addReservation(state: State, reservation: Reservation): void {
  state.reservations.set(reservation.id, reservation);
  const record = ownerOf(state, reservation);
  record?.reservations.set(reservation.id, reservation);
  if (reservation.leaving || !record) leave(state, reservation);
  refresh(state, record, reservation.reservedAt);
}

export function changeReservation(
  state: State,
  event: Extract<StateEvent, { type: 'reservation_changed' }>,
): void {
  const reservation = state.reservations.get(event.reservationId);
  if (!reservation) return;
  reservation.state = event.state;
  if (event.leaving) leave(state, reservation);
  refresh(state, ownerOf(state, reservation), event.at);
}

export function removeReservation(state: State, reservationId: string, at: number): void {
  const reservation = state.reservations.get(reservationId);
  if (!reservation) return;
  state.reservations.delete(reservationId);
  if (state.leaving.delete(reservationId)) state.demandChanged = true;
  const record = ownerOf(state, reservation);
  record?.reservations.delete(reservationId);
  refresh(state, record, at);
}

export function postponeRemoval(
  state: State,
  { reservationId, until }: Extract<StateEvent, { type: 'removal_postponed' }>,
): void {
  const reservation = state.reservations.get(reservationId);
  if (reservation) reservation.retryAt = until;
}

export function awaitRemoval(state: State, reservationId: string, awaited: boolean): void {
  if (!awaited) {
    if (state.leaving.delete(reservationId)) state.demandChanged = true;
    return;
  }
  const reservation = state.reservations.get(reservationId);
  if (reservation) leave(state, reservation);
}

/** The reservations of a removed app leave. */
export function leaveAll(state: State, reservations: Iterable<Reservation>): void {
  for (const one of reservations) leave(state, one);
}

/** Its instance does not count any more, and its resources are to be given back. */
function leave(state: State, reservation: Reservation): void {
  reservation.leaving = true;
  ownerOf(state, reservation)?.reservations.delete(reservation.id);
  state.leaving.add(reservation.id);
  state.demandChanged = true;
  state.offersWanted = true;
}

/** Ties a task to the reservation of its instance, and unties it when it has ended. */
export function tieTask(state: State, task: Task, launched: boolean): void {
  const reservation = state.reservations.get(instanceIdOf(task.id));
  if (!reservation) return;
  if (launched) reservation.launches += 1;
  if (!isTerminal(task.state)) {
    reservation.taskId = task.id;
    return;
  }
  if (reservation.taskId === task.id) delete reservation.taskId;
  reservation.lastTask = { id: task.id, state: task.state };
  if (reservation.leaving) state.offersWanted = true;
}
