/** Makes images available to tasks: one pull for all tasks that wait for the same image. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import type { DockerEngine, ImageInfo } from '../docker/engine.ts';
import {
  type PullFailure,
  type PullSettings,
  pullFailureText,
  waitAfterFailure,
} from './domain/pull-failure.ts';
import { afterLine, describePull, type Layers, type PullLine } from './domain/pull-progress.ts';

/** Least time between two reports of a pull's progress, in milliseconds. */
const REPORT_EVERY_MS = 15_000;

/** A task that needs an image. */
export interface ImageRequest {
  readonly image: string;
  /** Pull the image even if it is present. */
  readonly force: boolean;
  /** Aborted if the task needs the image no longer. The last task of a pull to leave cancels it. */
  readonly signal: AbortSignal;
  /** Adds a line to the task's log. */
  readonly note: (line: string) => void;
  /** Called a few times a minute at most, and before each further attempt. */
  readonly progress: (message: string) => void;
}

export interface ImagesOptions {
  readonly engine: DockerEngine;
  readonly settings: PullSettings;
  readonly reportEveryMs?: number;
}

/** A pull with the tasks that wait for it. */
interface Pull {
  readonly requests: Set<ImageRequest>;
  /** False while Docker is asked for the image. */
  readonly isPulling: () => boolean;
  readonly abort: AbortController;
  readonly image: Promise<ImageInfo>;
}

export class Images {
  readonly #options: ImagesOptions;
  /** The pulls under way. */
  readonly #pulls = new Map<string, Pull>();

  constructor(options: ImagesOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the image is on this machine.
   * @throws DockerError with the registry's own words; the signal's reason if the task has left
   */
  async prepare(request: ImageRequest): Promise<ImageInfo> {
    const { signal } = request;
    signal.throwIfAborted();
    const key = JSON.stringify([request.image, request.force]);
    const running = this.#pulls.get(key);
    const pull = running ?? this.#start(key, request);
    pull.requests.add(request);
    if (running?.isPulling())
      takeNote(request, `Pulling ${request.image}: waiting for the pull of another task`);
    const left = Promise.withResolvers<never>();
    const leave = () => {
      this.#leave(key, pull, request);
      left.reject(signal.reason);
    };
    signal.addEventListener('abort', leave);
    try {
      return await Promise.race([pull.image, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #leave(key: string, pull: Pull, request: ImageRequest): void {
    pull.requests.delete(request);
    if (pull.requests.size > 0) return;
    this.#end(key, pull);
    pull.abort.abort();
  }

  #end(key: string, pull: Pull): void {
    if (this.#pulls.get(key) === pull) this.#pulls.delete(key);
  }

  #start(key: string, { image, force }: ImageRequest): Pull {
    const requests = new Set<ImageRequest>();
    const abort = new AbortController();
    const deadline = AbortSignal.timeout(this.#options.settings.timeoutMs);
    const attempts = new Attempts(this.#options, image, force, requests);
    const result = attempts.run(AbortSignal.any([abort.signal, deadline]), deadline);
    const isPulling = () => attempts.isPulling;
    const pull: Pull = { requests, abort, isPulling, image: result.finally(() => this.#end(key, pull)) };
    // Nobody may wait for it any more.
    pull.image.catch(() => {});
    this.#pulls.set(key, pull);
    return pull;
  }
}

/** The attempts of one pull. */
class Attempts {
  readonly #options: ImagesOptions;
  readonly #image: string;
  readonly #force: boolean;
  readonly #requests: ReadonlySet<ImageRequest>;
  #layers: Layers = new Map();
  #reportedAt = performance.now();
  #failure: PullFailure | undefined;
  #isPulling = false;

  constructor(options: ImagesOptions, image: string, force: boolean, requests: ReadonlySet<ImageRequest>) {
    this.#options = options;
    this.#image = image;
    this.#force = force;
    this.#requests = requests;
  }

  get isPulling(): boolean {
    return this.#isPulling;
  }

  async run(signal: AbortSignal, deadline: AbortSignal): Promise<ImageInfo> {
    try {
      for (let attempt = 1; ; attempt += 1) {
        const outcome = await this.#attempt(attempt, signal);
        if ('Id' in outcome) return outcome;
        this.#failure = outcome;
        const { attempts } = this.#options.settings;
        const wait = waitAfterFailure(outcome, attempts, Math.random());
        if (wait === undefined) throw new DockerError(pullFailureText(outcome), 0);
        const seconds = (wait / 1000).toFixed(1);
        this.#report(
          `Image ${this.#image} can't be pulled yet: ${outcome.message}. ` +
            `Attempt ${attempt + 1} of ${attempts} follows in ${seconds} s`,
        );
        await sleep(wait, undefined, { signal });
      }
    } catch (error) {
      if (!deadline.aborted || error instanceof DockerError) throw error;
      throw new DockerError(this.#lateText(), 0);
    }
  }

  /** @returns the image, or the failure of this attempt */
  async #attempt(attempt: number, signal: AbortSignal): Promise<ImageInfo | PullFailure> {
    const { engine } = this.#options;
    const image = this.#image;
    try {
      const here = this.#force ? undefined : await engine.inspectImage(image, signal);
      if (here) return here;
      this.#isPulling = true;
      this.#note(`Pulling ${image}`);
      this.#layers = new Map();
      await engine.pullImage(image, this.#takeLine(), signal);
      const pulled = await engine.inspectImage(image, signal);
      if (pulled) return pulled;
      const message = 'it was pulled but is missing: another program may have removed it';
      return { image, message, engineUnavailable: false, attempt };
    } catch (error) {
      signal.throwIfAborted();
      const engineUnavailable = error instanceof DockerUnavailableError;
      if (!engineUnavailable && !(error instanceof DockerError)) throw error;
      return { image, message: error.message, engineUnavailable, attempt };
    }
  }

  #takeLine(): (line: PullLine) => void {
    const seen = new Map<string, string>();
    return (line) => {
      this.#layers = afterLine(this.#layers, line);
      const { id = '', status } = line;
      // Docker repeats a layer's status every few bytes.
      if (status !== undefined && seen.get(id) !== status) {
        seen.set(id, status);
        this.#note(id === '' ? status : `${id}: ${status}`);
      }
      if (performance.now() - this.#reportedAt < (this.#options.reportEveryMs ?? REPORT_EVERY_MS)) return;
      const description = describePull(this.#image, this.#layers);
      if (description !== undefined) this.#report(description);
    };
  }

  #report(message: string): void {
    this.#reportedAt = performance.now();
    this.#note(message);
    for (const { progress } of this.#requests) progress(message);
  }

  #note(line: string): void {
    for (const request of this.#requests) takeNote(request, line);
  }

  #lateText(): string {
    const { timeoutMs } = this.#options.settings;
    const progress = describePull(this.#image, this.#layers)?.replace(/^.*?: (?=\d)/, '');
    const last = this.#failure?.message ?? progress ?? 'the registry has not answered';
    return `Image ${this.#image} can't be pulled: no end within ${timeoutMs / 1000} s; ${last}`;
  }
}

/** A full disk costs the line, not the task. */
function takeNote({ note }: ImageRequest, line: string): void {
  try {
    note(line);
  } catch {
    // The log has no other place.
  }
}
