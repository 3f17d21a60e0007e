/** Asks whether URLs and credentials lead to a scheduler. */

import type { ApiClient } from '../../client/api-client.ts';
import { ApiError } from '../../client/api-error.ts';

/** Of one scheduler; the next one is asked afterwards. */
const ANSWER_MS = 5000;
const ALL_MS = 20_000;
const CHECK_URL = 'Check the URL, or store the context without a check: --no-check.';

/** @throws ApiError if no scheduler answers in time, or it refuses the credentials */
export async function checkScheduler(client: ApiClient, answerMs = ANSWER_MS, allMs = ALL_MS): Promise<void> {
  const signal = AbortSignal.timeout(allMs);
  try {
    await client.call('GET', '/v2/leader', {}, { patienceMs: 0, answerMs, signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === undefined) {
      throw new ApiError(error.message, { failure: error.failure, remedy: CHECK_URL });
    }
    if (error instanceof ApiError || !signal.aborted) throw error;
    // Something else answers there, without an end.
    throw new ApiError(`no scheduler answers at ${client.url}: no complete answer in ${allMs / 1000} s`, {
      remedy: CHECK_URL,
    });
  }
}
