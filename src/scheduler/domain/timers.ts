/**
 * What is due at some time to come. Those that speak to the master name the connection they were set for, and are
 * void under another, since each begins by asking for everything anew.
 */

import { popHeap, pushHeap } from './heap.ts';

export type Timer =
  /** The app's launch delay is over. */
  | { readonly kind: 'delay'; readonly appId: string }
  /** The deployment has failed if it got no further. */
  | { readonly kind: 'deadline'; readonly deploymentId: string }
  /** The task's agent is still out of reach, perhaps. */
  | { readonly kind: 'unreachable'; readonly taskId: string }
  /** The task was asked to end; ask again if it has not. */
  | { readonly kind: 'kill'; readonly taskId: string; readonly connection: number }
  /** Nothing has been heard of the task since its launch; end it. */
  | { readonly kind: 'launch'; readonly taskId: string; readonly connection: number }
  /** Ask the master again for the tasks it has not answered for. */
  | { readonly kind: 'reconcile'; readonly waitMs: number; readonly connection: number }
  /** Ask the master for all tasks it knows. */
  | { readonly kind: 'reconcile_all'; readonly connection: number }
  /** The master did not take the answer to these offers; give them back, or it would keep them for us. */
  | { readonly kind: 'decline'; readonly offerIds: readonly string[]; readonly connection: number }
  /** A call that asked for offers was lost. */
  | { readonly kind: 'revive'; readonly connection: number }
  /** A call that told of the offers that are of use was lost. */
  | { readonly kind: 'offer_constraints'; readonly connection: number };

export interface TimerEntry {
  readonly at: number;
  readonly timer: Timer;
}

/** A heap ordered by `at`. Timers are never taken back: who handles one checks that it still matters. */
export type Timers = TimerEntry[];

/** When the next is due, or undefined. */
export function nextTimer(timers: Timers): number | undefined {
  return timers[0]?.at;
}

/** Those due at `now`, without removing them. */
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

/** Removes all that are due at `now`. */
export function popTimers(timers: Timers, now: number): void {
  while ((timers[0]?.at ?? Infinity) <= now) popHeap(timers, isEarlier);
}

function isEarlier(a: TimerEntry, b: TimerEntry): boolean {
  return a.at < b.at;
}
