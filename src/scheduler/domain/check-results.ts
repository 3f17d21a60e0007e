/** The results of a task's checks, as Marathon's `healthCheckResults` and `readinessCheckResults` show them. Pure. */

import type { HttpResponse } from '../../health/health.ts';

/** The results of one check so far. Times in milliseconds since the epoch. */
export interface CheckResults {
  /** The last result. */
  readonly healthy: boolean;
  /** Failures since the last success. */
  readonly consecutiveFailures: number;
  readonly firstSuccess?: number;
  readonly lastSuccess?: number;
  readonly lastFailure?: number;
  readonly lastFailureCause?: string;
  /** The last response to a readiness check that keeps it. */
  readonly response?: HttpResponse;
}

/** One result that counts: failures in the grace period are left out. */
export interface CheckOutcome {
  readonly healthy: boolean;
  readonly at: number;
  /** The reason for a failure. */
  readonly why?: string;
  readonly response?: HttpResponse;
}

export function afterOutcome(
  before: CheckResults | undefined,
  { healthy, at, why, response }: CheckOutcome,
): CheckResults {
  const { response: _response, ...rest }: Partial<CheckResults> = before ?? {};
  const kept = response && { response };
  if (healthy) {
    const { firstSuccess = at } = rest;
    return { ...rest, ...kept, healthy, firstSuccess, lastSuccess: at, consecutiveFailures: 0 };
  }
  return {
    ...rest,
    ...kept,
    healthy,
    lastFailure: at,
    lastFailureCause: why ?? '',
    consecutiveFailures: (rest.consecutiveFailures ?? 0) + 1,
  };
}
