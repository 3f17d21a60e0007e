/** Starts a run on a host, and follows a run. */

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { type Host, HostError, type RunResult } from '../../hosts/host.ts';
import { parseJson } from '../../json.ts';
import type { RunFacts } from '../host-facts.ts';
import type { RunEvent } from '../run-events.ts';
import type { HostScripts } from '../script/host-scripts.ts';
import { parseRunEvent } from '../script/parse-events.ts';
import { attachRunScript, startRunScript } from '../script/run-scripts.ts';

export interface FollowOptions {
  /** Called once for each event, from the run's first, even when the connection is lost in between. */
  readonly onEvent: (event: RunEvent) => void;
  /** Called when the connection is lost; it is opened again after `pause` milliseconds. */
  readonly onLost?: (pause: number) => void;
  /** Stops following; the run continues. */
  readonly signal?: AbortSignal;
}

/** The end of a run. `failed` is the event that reported the failure. */
export type RunOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly failed: Extract<RunEvent, { event: 'failed' }> | null };

/** Another run is in progress on the host. `attachRun` follows it. */
export class RunBusyError extends MesosupError {
  override name = 'RunBusyError';
  /** Null when that run has not written its record yet. */
  readonly run: RunFacts | null;

  constructor(host: string, run: RunFacts | null) {
    const since = run ? ` since ${new Date(run.since).toISOString()}` : '';
    super(`${host}: ${run ? `"${run.command}" by ${run.who}` : 'another run'} is in progress${since}`, {
      host,
      failure: 'busy',
      remedy: 'Wait until it ends, then run the same command again.',
    });
    this.run = run;
  }
}

/** A run that ended without reporting its end: it was killed, or the host went down. */
export class RunLostError extends MesosupError {
  override name = 'RunLostError';

  constructor(host: string, run: string) {
    super(`${host}: the run ${run} ended unexpectedly: it was killed, or the host went down`, {
      host,
      failure: 'lost',
      remedy: 'Run the same command again to resume.',
    });
  }
}

const record = z.object({ id: z.string(), command: z.string(), who: z.string(), since: z.number() });
const control = z.union([
  z.object({ busy: record.nullable() }),
  z.object({ followed: z.literal(true) }),
  z.object({ unknown: z.literal(true), empty: z.boolean() }),
]);
type Control = z.infer<typeof control>;

/** Pauses in milliseconds before each attempt to open a lost connection again. */
const RETRIES = [500, 2000, 5000, 10_000, 20_000];

/**
 * Starts an apply script as the run `run`, and follows it to its end. Attaches again when the connection is lost.
 * @throws RunBusyError, RunLostError; HostError when the host can't be used, or stays unreachable
 */
export async function startRun(
  host: Host,
  scripts: HostScripts,
  script: string,
  run: string,
  options: FollowOptions,
): Promise<RunOutcome> {
  const bytes = Buffer.from(script);
  return withRetries(host, scripts, run, options, (follower) =>
    follower.follow(startRunScript(scripts, run, bytes.length), bytes),
  );
}

/**
 * Follows a run from its beginning, also when it has ended already.
 * @throws RunLostError; HostError as `startRun`, and when the host does not know the run
 */
export async function attachRun(
  host: Host,
  scripts: HostScripts,
  run: string,
  options: FollowOptions,
): Promise<RunOutcome> {
  return withRetries(host, scripts, run, options, (follower) =>
    follower.follow(attachRunScript(scripts, run)),
  );
}

async function withRetries(
  host: Host,
  scripts: HostScripts,
  run: string,
  options: FollowOptions,
  first: (follower: Follower) => Promise<RunOutcome | undefined>,
): Promise<RunOutcome> {
  const follower = new Follower(host, run, options);
  for (let attempt = 0; ; attempt += 1) {
    try {
      const again = attempt > 0 ? await follower.follow(attachRunScript(scripts, run)) : undefined;
      const outcome = again ?? (await first(follower));
      if (outcome) return outcome;
      throw unknownRun(host.name, run);
    } catch (error) {
      const pause = RETRIES[attempt];
      const away = error instanceof HostError && ['lost', 'unreachable'].includes(error.failure);
      if (!away || pause === undefined || (attempt === 0 && error.failure !== 'lost')) throw error;
      options.onLost?.(pause);
      await sleep(pause, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}

function unknownRun(host: string, run: string): HostError {
  return new HostError(
    host,
    'configuration',
    `the run ${run} is not known on ${host}`,
    'Run the same command again to resume.',
  );
}

/** Follows one run, over several connections if necessary. */
class Follower {
  readonly #host: Host;
  readonly #run: string;
  readonly #options: FollowOptions;
  #seen = 0;
  #begun = false;
  #failed: Extract<RunEvent, { event: 'failed' }> | null = null;
  #outcome: RunOutcome | undefined;

  constructor(host: Host, run: string, options: FollowOptions) {
    this.#host = host;
    this.#run = run;
    this.#options = options;
  }

  /** @returns undefined when the host does not know the run, unless a completed uninstall removed its record */
  async follow(script: string, input?: Uint8Array): Promise<RunOutcome | undefined> {
    let answer: Control | undefined;
    let line = 0;
    const over = new AbortController();
    const { signal } = this.#options;
    const onLine = (text: string) => {
      const event = parseRunEvent(text);
      if (!event) {
        answer = control.safeParse(parseJson(text)).data ?? answer;
        return;
      }
      line += 1;
      if (line > this.#seen) {
        this.#seen = line;
        this.#take(event);
        if (event.event === 'end') over.abort();
      }
    };
    let result: RunResult | undefined;
    try {
      result = await this.#host.run(script, {
        onLine,
        signal: signal ? AbortSignal.any([signal, over.signal]) : over.signal,
        ...(input ? { input } : {}),
      });
    } catch (error) {
      if (!this.#outcome) throw error;
    }
    if (this.#outcome) return this.#outcome;
    return this.#interpretEnd(answer, result);
  }

  #take(event: RunEvent): void {
    this.#begun = true;
    if (event.event === 'failed') this.#failed = event;
    if (event.event === 'end') this.#outcome = event.ok ? { ok: true } : { ok: false, failed: this.#failed };
    this.#options.onEvent(event);
  }

  #interpretEnd(answer: Control | undefined, result: RunResult | undefined): RunOutcome | undefined {
    if (answer && 'busy' in answer)
      throw new RunBusyError(this.#host.name, answer.busy && { ...answer.busy, alive: true });
    if (answer && 'followed' in answer) throw new RunLostError(this.#host.name, this.#run);
    // The host has no files of mesosup: the run was an uninstall, and it completed.
    if (answer && 'unknown' in answer) return answer.empty && this.#begun ? { ok: true } : undefined;
    const why = result?.stderr.trim() || `exit ${result?.code ?? result?.signal}`;
    throw new HostError(
      this.#host.name,
      'root',
      `a run could not be started on ${this.#host.name}: ${why}`,
      'Check that /var/lib/mesosup has free space, and that flock, tail and systemd-run work on the host.',
    );
  }
}
