/**
 * Timers. Timers that lead to calls name the connection for which they were set, and are void for another connection,
 * since each connection begins with a complete reconciliation.
 */

import { popHeap, pushHeap } from './heap.ts';

export type Timer =
  /** Ends the app's launch delay. */
  | { readonly kind: 'delay'; readonly appId: string }
  /** Fails the deployment if it made no progress. */
  | { readonly kind: 'deadline'; readonly deploymentId: string }
  /** Gives the task up if its agent is still unreachable. */
  | { readonly kind: 'unreachable'; readonly taskId: string }
  /** Kills the task at the end of its drain. */
  | { readonly kind: 'drain'; readonly taskId: string }
  /** Repeats the kill if the task has not ended. */
  | { readonly kind: 'kill'; readonly taskId: string; readonly connection: number }
  /** Kills the task if there was no update since its launch. */
  | { readonly kind: 'launch'; readonly taskId: string; readonly connection: number }
  /** Asks for the state of operations that Mesos has not confirmed. */
  | { readonly kind: 'reservation'; readonly reservationId: string; readonly connection: number }
  /** Requests offers for the removal of a reservation again. */
  | { readonly kind: 'removal'; readonly reservationId: string; readonly connection: number }
  /** Repeats the reconciliation of unanswered tasks. */
  | { readonly kind: 'reconcile'; readonly waitMs: number; readonly connection: number }
  /** Reconciles all tasks that the master knows. */
  | { readonly kind: 'reconcile_all'; readonly connection: number }
  /** Declines offers again whose answer was lost, or the master would keep them reserved for this framework. */
  | { readonly kind: 'decline'; readonly offerIds: readonly string[]; readonly connection: number }
  /** Repeats a lost REVIVE. */
  | { readonly kind: 'revive'; readonly connection: number }
  /** Repeats a lost UPDATE_FRAMEWORK with offer constraints. */
  | { readonly kind: 'offer_constraints'; readonly connection: number };

export interface TimerEntry {
  readonly at: number;
  readonly timer: Timer;
}

/** A heap ordered by `at`. Timers are never cancelled: their handlers check whether they still apply. */
export type Timers = TimerEntry[];

/** @returns when the next timer is due */
export function nextTimer(timers: Timers): number | undefined {
  return timers[0]?.at;
}

/** @returns the timers due at `now`, without removing them */
export function dueTimers(timers: Timers, now: number): Timer[] {
  const due: Timer[] = [];
  const open = [0];
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const entry = timers[i];
    if (!entry || entry.at > now) continue;
    due.push(entry.timer);
    open.push(2 * i + 1, 2 * i + 2);
  }
  return due;
}

export function pushTimer(timers: Timers, entry: TimerEntry): void {
  pushHeap(timers, entry, isEarlier);
}

/** Removes all timers due at `now`. */
export function popTimers(timers: Timers, now: number): void {
  while ((timers[0]?.at ?? Infinity) <= now) popHeap(timers, isEarlier);
}

function isEarlier(a: TimerEntry, b: TimerEntry): boolean {
  return a.at < b.at;
}
