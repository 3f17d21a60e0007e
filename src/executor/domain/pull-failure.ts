/**
 * Decides after a failed pull: try again after a wait, or give up. The engine reports every failure of a registry as a
 * text, so the text decides. Source of the texts: the registry client in Docker 20.10 and 28 (distribution/errors.go of
 * moby, registry/client/errors.go of distribution, net and net/http of Go).
 */

/** A failure that passes by itself can have this wait before the next attempt, in milliseconds. */
const WAIT_MS = { first: 1000, longest: 60_000, rateLimit: 15_000 };

/** The registry limits the rate of requests (HTTP status 429). */
const RATE_LIMIT = /toomanyrequests|too many requests|\b429\b/i;
/** As ghcr.io words its limit, with a duration of Go: `toomanyrequests: retry-after: 1m30.5s`. */
const RETRY_AFTER = /retry[- ]after:? ((?:\d+(?:\.\d+)?(?:h|ms|m|µs|us|ns|s)?)+)/i;
/** The registry, or a proxy before it, has a fault of its own. */
const SERVER_FAULT = /\b(?:status|code|HTTP|response)[: ]+5\d\d\b|service unavailable|bad gateway/i;
/** The same request fails again. */
const FINAL =
  /not found|unknown manifest|(?:manifest|name|repository) (?:unknown|invalid|name not known)|does not exist|denied|unauthorized|authentication required|no basic auth|x509|certificate|invalid reference|no matching manifest/i;
const NETWORK =
  /connection (?:refused|reset|timed out)|i\/o timeout|timeout exceeded|handshake timeout|deadline exceeded|\bEOF\b|broken pipe|no route to host|network is unreachable|no such host|server misbehaving|temporary failure|verification failed/i;

export interface PullSettings {
  /** For all attempts together. */
  readonly timeoutMs: number;
  /** Attempts at most, at least 1. */
  readonly attempts: number;
}

export const DEFAULT_PULL: PullSettings = { timeoutMs: 1_800_000, attempts: 5 };

export interface PullFailure {
  readonly image: string;
  /** The words of the registry or the engine. */
  readonly message: string;
  /** True if the engine itself did not answer. */
  readonly engineUnavailable: boolean;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/**
 * @param attempts how many attempts are made at most
 * @param fraction a random number from 0 to 1, so that agents do not try again at the same time
 * @returns the wait before the next attempt in milliseconds; undefined to give up
 */
export function waitAfterFailure(
  failure: PullFailure,
  attempts: number,
  fraction: number,
): number | undefined {
  if (failure.attempt >= attempts) return undefined;
  const { first, longest, rateLimit } = WAIT_MS;
  const doubled = (ms: number) => Math.min(longest, ms * 2 ** (failure.attempt - 1));
  const spread = (ms: number) => Math.round(ms * (1 + fraction / 4));
  // Names are data of users, and may contain any of the words.
  const words = withoutName(failure.message, failure.image);
  if (failure.engineUnavailable) return spread(doubled(first));
  if (RATE_LIMIT.test(words)) return spread(Math.max(doubled(rateLimit), namedWaitMs(words)));
  const isTransient = SERVER_FAULT.test(words) || (!FINAL.test(words) && NETWORK.test(words));
  return isTransient ? spread(doubled(first)) : undefined;
}

/** Describes the end of all attempts, for the status of the tasks. */
export function pullFailureText({ image, message, attempt }: PullFailure): string {
  const times = attempt === 1 ? '' : ` (${attempt} attempts)`;
  return `Image ${image} can't be pulled: ${message}${times}`;
}

function withoutName(message: string, image: string): string {
  const repository = image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const host = repository.split('/', 1)[0] ?? repository;
  return [image, repository, host].reduce((text, name) => text.replaceAll(name, ''), message);
}

/** The wait that the registry asks for, in milliseconds; 0 if it names none. A number without a unit is seconds. */
function namedWaitMs(words: string): number {
  const [, duration = ''] = RETRY_AFTER.exec(words) ?? [];
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, '': 1000, ms: 1 };
  let total = 0;
  for (const [, amount, unit = ''] of duration.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|µs|us|ns|s)?/g))
    total += Number(amount) * (units[unit] ?? 0);
  return Math.ceil(total);
}
