/** Starts a run on a host, and follows one. */

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { type Host, HostError, type RunResult } from '../../hosts/host.ts';
import type { RunFacts } from '../host-facts.ts';
import type { RunEvent } from '../run-events.ts';
import type { HostScripts } from '../script/host-scripts.ts';
import { parseRunEvent } from '../script/parse-events.ts';
import { jsonOf } from '../script/parse-journal.ts';
import { attachRunScript, startRunScript } from '../script/run-scripts.ts';

export interface FollowOptions {
  /** Each event once, from the run's first on, even when the connection is lost on the way. */
  readonly onEvent: (event: RunEvent) => void;
  /** The connection is lost, and taken up again after so many milliseconds. */
  readonly onLost?: (pause: number) => void;
  /** Ends the following; the run goes on. */
  readonly signal?: AbortSignal;
}

/** How a run ended. `failed` is what it failed by. */
export type RunOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly failed: Extract<RunEvent, { event: 'failed' }> | null };

/** Another run is under way on the host: it can be attached to. */
export class RunBusyError extends MesosupError {
  override name = 'RunBusyError';
  /** Null when that one has said nothing of itself yet. */
  readonly run: RunFacts | null;

  constructor(host: string, run: RunFacts | null) {
    const since = run ? ` since ${new Date(run.since).toISOString()}` : '';
    super(`${host}: ${run ? `"${run.command}" by ${run.who}` : 'another run'} is under way${since}`, {
      host,
      failure: 'busy',
      remedy: 'Wait until it has ended, or attach to it.',
    });
    this.run = run;
  }
}

/** A run that ended without a word: killed, or the host went down. */
export class RunLostError extends MesosupError {
  override name = 'RunLostError';

  constructor(host: string, run: string) {
    super(`${host}: the run ${run} ended there without a word: it was killed, or the host went down`, {
      host,
      failure: 'lost',
      remedy: 'Run the same command again: it finds what is left to do.',
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

/** A connection that is lost is taken up again so often, with these pauses in milliseconds. */
const RETRIES = [500, 2000, 5000, 10_000, 20_000];

/**
 * Starts an apply script as the run `run`, and follows it to its end. When the connection is lost, it attaches again.
 * @throws RunBusyError, RunLostError; HostError when the host can't be used, or stays away
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
 * Follows a run from its beginning, be it under way or over.
 * @throws RunLostError; HostError as `startRun`, and when the host knows no such run
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
    `${host} knows no run ${run}`,
    'Run the command without attaching: it finds what is left to do.',
  );
}

/** Follows one run, over several connections if need be. */
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

  /** @returns undefined when the host knows no such run, unless it has nothing at all left to know it by */
  async follow(script: string, input?: Uint8Array): Promise<RunOutcome | undefined> {
    let said: Control | undefined;
    let line = 0;
    const over = new AbortController();
    const { signal } = this.#options;
    const onLine = (text: string) => {
      const event = parseRunEvent(text);
      if (!event) {
        said = control.safeParse(jsonOf(text)).data ?? said;
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
    return this.#ending(said, result);
  }

  #take(event: RunEvent): void {
    this.#begun = true;
    if (event.event === 'failed') this.#failed = event;
    if (event.event === 'end') this.#outcome = event.ok ? { ok: true } : { ok: false, failed: this.#failed };
    this.#options.onEvent(event);
  }

  #ending(said: Control | undefined, result: RunResult | undefined): RunOutcome | undefined {
    if (said && 'busy' in said)
      throw new RunBusyError(this.#host.name, said.busy && { ...said.busy, alive: true });
    if (said && 'followed' in said) throw new RunLostError(this.#host.name, this.#run);
    // Nothing at all is left: it was an uninstall, which had come to its end.
    if (said && 'unknown' in said) return said.empty && this.#begun ? { ok: true } : undefined;
    const why = result?.stderr.trim() || `exit ${result?.code ?? result?.signal}`;
    throw new HostError(
      this.#host.name,
      'root',
      `a run could not be started on ${this.#host.name}: ${why}`,
      'See that there is space in /var/lib/mesosup, and that flock, tail and systemd-run work there.',
    );
  }
}
