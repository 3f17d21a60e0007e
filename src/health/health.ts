/**
 * Computes a task's health: (health, result of a check, now) → health. Pure.
 *
 * Follows Mesos' executors (src/checks/health_checker.cpp of Mesos 1.11): failures count after the grace period or after
 * a successful check; each one that counts is reported, and so is the first success after it; `consecutive_failures` in a
 * row get the task killed, and with 0 the first one does.
 */

import type { HealthCheck } from '../mesos/types.ts';

/** A response to an HTTP check. The body is cut off after 10 KiB. */
export interface HttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Result of one check. `unknown`: the check could not run, for a reason outside the task. */
export type CheckResult = ({ type: 'passed' } | { type: 'failed' | 'unknown'; why: string }) & {
  /** If the caller wants it, and there was one. */
  response?: HttpResponse;
};

export interface Health {
  /** Time when the task was first seen running, in milliseconds since the epoch. */
  readonly since: number;
  /** Undefined until the first result that counts. */
  readonly healthy: boolean | undefined;
  /** Failures in a row that count. */
  readonly failures: number;
  /** Time of the last failure that counts, in milliseconds since the epoch. */
  readonly failedAt: number | undefined;
}

/** @param now when the task was first seen running, in milliseconds since the epoch */
export function initialHealth(now: number): Health {
  return { since: now, healthy: undefined, failures: 0, failedAt: undefined };
}

/** @returns the health after one more check; the same object if there is nothing to report */
export function afterCheck(health: Health, check: HealthCheck, result: CheckResult, now: number): Health {
  if (result.type === 'unknown') return health;
  if (result.type === 'passed') {
    if (health.healthy === true && health.failures === 0) return health;
    return { ...health, healthy: true, failures: 0, failedAt: undefined };
  }
  const graceMs = milliseconds(check.grace_period_seconds, 10);
  if (health.healthy === undefined && graceMs > 0 && now - health.since <= graceMs) return health;
  return { ...health, healthy: false, failures: health.failures + 1, failedAt: now };
}

/** True if the task has failed so often in a row that its executor must kill it. */
export function mustBeKilled({ failures }: Health, check: HealthCheck): boolean {
  return failures > 0 && failures >= (check.consecutive_failures ?? 3);
}

/** Computes the wait before the first check, after the start of a task or of a restarted executor. */
export function firstCheckMs(health: Health, check: HealthCheck, now: number): number {
  const due = health.since + milliseconds(check.delay_seconds, 15);
  const next = health.failedAt === undefined ? due : Math.max(due, health.failedAt + intervalMs(check));
  return Math.max(0, next - now);
}

/** From the end of one check to the start of the next. */
export function intervalMs(check: HealthCheck): number {
  return milliseconds(check.interval_seconds, 10);
}

/** Returns the time limit of a check; undefined for no limit. */
export function timeoutMs(check: HealthCheck): number | undefined {
  return milliseconds(check.timeout_seconds, 20) || undefined;
}

/** @param limit the result of `timeoutMs` */
export function timeoutText(limit: number | undefined): string {
  return `timed out after ${(limit ?? 0) / 1000} s`;
}

/** The maximum delay of setTimeout. */
const MAX_TIMER_MS = 2 ** 31 - 1;

function milliseconds(seconds: number | undefined, fallback: number): number {
  return Math.min(MAX_TIMER_MS, Math.round((seconds ?? fallback) * 1000));
}
