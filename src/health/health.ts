/**
 * What a task's health checks say of it: (health, result of a check, now) → health. Pure.
 *
 * As Mesos' executors have it (src/checks/health_checker.cpp of Mesos 1.11): failures count once the grace period is
 * over or a check has succeeded; the first that counts makes the task unhealthy, so many in a row get it killed. Two
 * things differ: Mesos repeats its update at each failure, here it comes with a change alone; and with
 * `consecutive_failures` 0 nothing is killed, as Marathon's users expect, where Mesos kills at the first failure.
 */

import type { HealthCheck } from '../mesos/types.ts';

/** What one check found. `unknown`: it could not be done, through no fault of the task. */
export type CheckResult = { type: 'passed' } | { type: 'failed' | 'unknown'; why: string };

export interface Health {
  /** When the task was seen running, in milliseconds since the epoch. */
  readonly since: number;
  /** Undefined until the first result that counts. */
  readonly healthy: boolean | undefined;
  /** Failures in a row that count. */
  readonly failures: number;
  /** When the last of them came, in milliseconds since the epoch. */
  readonly failedAt: number | undefined;
}

/** @param now when the task was seen running, in milliseconds since the epoch */
export function initialHealth(now: number): Health {
  return { since: now, healthy: undefined, failures: 0, failedAt: undefined };
}

/** @returns the health after one more check: the same object where nothing changes */
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

/** True once the task has failed so often in a row that its executor is to kill it. */
export function isToBeKilled(health: Health, check: HealthCheck): boolean {
  const limit = check.consecutive_failures ?? 3;
  return limit > 0 && health.failures >= limit;
}

/** How long the first check has to wait: that of a task which has just started, or of an executor that came back. */
export function firstCheckMs(health: Health, check: HealthCheck, now: number): number {
  const due = health.since + milliseconds(check.delay_seconds, 15);
  const next = health.failedAt === undefined ? due : Math.max(due, health.failedAt + intervalMs(check));
  return Math.max(0, next - now);
}

/** From the end of one check to the start of the next. */
export function intervalMs(check: HealthCheck): number {
  return milliseconds(check.interval_seconds, 10);
}

/** The longest a check may take; undefined for as long as it likes. */
export function timeoutMs(check: HealthCheck): number | undefined {
  return milliseconds(check.timeout_seconds, 20) || undefined;
}

/** @param limit as `timeoutMs` gives it */
export function timedOut(limit: number | undefined): string {
  return `timed out after ${(limit ?? 0) / 1000} s`;
}

/** The longest wait that a timer of the platform knows. */
const LONGEST_MS = 2 ** 31 - 1;

function milliseconds(given: number | undefined, otherwise: number): number {
  return Math.min(LONGEST_MS, Math.round((given ?? otherwise) * 1000));
}
