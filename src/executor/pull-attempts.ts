/** The attempts of one pull, and what the waiting tasks learn of them. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import type { DockerEngine, ImageInfo } from '../docker/engine.ts';
import type { RegistryAuth } from '../docker/registry-auth.ts';
import {
  type PullFailure,
  type PullSettings,
  pullFailureText,
  waitAfterFailure,
} from './domain/pull-failure.ts';
import { afterLine, describePull, type Layers, type PullLine } from './domain/pull-progress.ts';
import type { ImageRecords } from './image-records.ts';

/** A task that waits for the pull. */
export interface Waiting {
  /** Adds a line to the task's log. */
  readonly note: (line: string) => void;
  /** Called a few times a minute at most, and before each further attempt. */
  readonly progress: (message: string) => void;
}

export interface AttemptsOptions {
  readonly engine: DockerEngine;
  readonly settings: PullSettings;
  readonly reportEveryMs: number;
  readonly image: string;
  readonly force: boolean;
  readonly auth: RegistryAuth | undefined;
  readonly records: ImageRecords | undefined;
  readonly waiting: ReadonlySet<Waiting>;
}

export class PullAttempts {
  readonly #options: AttemptsOptions;
  #layers: Layers = new Map();
  #reportedAt = performance.now();
  #failure: PullFailure | undefined;

  constructor(options: AttemptsOptions) {
    this.#options = options;
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
          `Image ${this.#options.image} can't be pulled yet: ${outcome.message}. ` +
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
    const { auth, engine, force, image } = this.#options;
    try {
      const here = await engine.inspectImage(image, signal);
      if (here && !force) return here;
      // An image that people brought here themselves stays theirs.
      const records = here && !this.#options.records?.has(image) ? undefined : this.#options.records;
      records?.pulling(image);
      this.#note(`Pulling ${image}`);
      this.#layers = new Map();
      await engine.pullImage(image, this.#takeLine(), signal, auth);
      const pulled = await engine.inspectImage(image, signal);
      if (pulled) records?.pulled(image, pulled.Id);
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
      if (performance.now() - this.#reportedAt < this.#options.reportEveryMs) return;
      const description = describePull(this.#options.image, this.#layers);
      if (description !== undefined) this.#report(description);
    };
  }

  #report(message: string): void {
    this.#reportedAt = performance.now();
    this.#note(message);
    for (const { progress } of this.#options.waiting) progress(message);
  }

  #note(line: string): void {
    for (const task of this.#options.waiting) takeNote(task, line);
  }

  #lateText(): string {
    const { timeoutMs } = this.#options.settings;
    const progress = describePull(this.#options.image, this.#layers)?.replace(/^.*?: (?=\d)/, '');
    const last = this.#failure?.message ?? progress ?? 'the registry has not answered';
    return `Image ${this.#options.image} can't be pulled: no end within ${timeoutMs / 1000} s; ${last}`;
  }
}

/** A full disk costs the line, not the task. */
export function takeNote({ note }: Waiting, line: string): void {
  try {
    note(line);
  } catch {
    // The log has no other place.
  }
}
