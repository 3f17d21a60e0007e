/** Makes images available to tasks: one pull for all tasks that wait for the same image. */

import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import type { DockerEngine, ImageInfo } from '../docker/engine.ts';
import type { RegistryAuth } from '../docker/registry-auth.ts';
import { pullSettings, registriesOf } from './domain/image-policy.ts';
import { type PolicyReading, policyOf } from './domain/policy.ts';
import type { PullSettings } from './domain/pull-failure.ts';
import type { ImageRecords } from './image-records.ts';
import { PullAttempts, takeNote, type Waiting } from './pull-attempts.ts';
import { findCredentials, ownDockerConfig } from './registry-credentials.ts';

/** Least time between two reports of a pull's progress, in milliseconds. */
const REPORT_EVERY_MS = 15_000;

/** A task that needs an image. */
export interface ImageRequest extends Waiting {
  readonly image: string;
  /** Pull the image even if it is present. */
  readonly force: boolean;
  /** Directories with files that were fetched for the task, which may contain its credentials. */
  readonly fetched: readonly string[];
  /** Aborted if the task needs the image no longer. The last task of a pull to leave cancels it. */
  readonly signal: AbortSignal;
}

export interface ImagesOptions {
  readonly engine: DockerEngine;
  /** Reads the agent's policy. */
  readonly policy: () => PolicyReading;
  /** Undefined to keep no records, so that the janitor removes no image. */
  readonly records: ImageRecords | undefined;
  readonly reportEveryMs?: number;
}

/** A pull with the tasks that wait for it. */
interface Pull {
  readonly requests: Set<ImageRequest>;
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
    const { image, signal } = request;
    signal.throwIfAborted();
    const { records } = this.#options;
    const policy = policyOf(this.#options.policy());
    const settings = pullSettings(policy);
    await records?.use(image);
    const here = request.force ? undefined : await this.#find(image, signal, settings);
    if (here) return here;
    const sources = {
      fetched: request.fetched,
      registries: registriesOf(policy),
      hostConfig: policy.dockerConfig ?? ownDockerConfig(),
    };
    const auth = await findCredentials(image, sources).catch((error: Error) => {
      throw new DockerError(`Image ${image} can't be pulled: ${error.message}`, 0);
    });
    signal.throwIfAborted();
    return await this.#join(request, auth, settings);
  }

  /** @returns undefined if the image is missing or Docker does not answer, which the attempts of a pull find again */
  async #find(
    image: string,
    signal: AbortSignal,
    { timeoutMs }: PullSettings,
  ): Promise<ImageInfo | undefined> {
    const deadline = startDeadline(timeoutMs);
    const limit = AbortSignal.any([signal, deadline.signal]);
    const found = this.#options.engine.inspectImage(image, limit).finally(deadline.clear);
    return await found.catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof DockerUnavailableError) return undefined;
      throw limit.aborted ? new DockerError(`Docker did not answer within ${timeoutMs / 1000} s`, 0) : error;
    });
  }

  /** Waits for a pull with the same credentials: those of another task may be wrong, or allow what these do not. */
  async #join(
    request: ImageRequest,
    auth: RegistryAuth | undefined,
    settings: PullSettings,
  ): Promise<ImageInfo> {
    const { image, force, signal } = request;
    const key = JSON.stringify([image, force, auth]);
    const running = this.#pulls.get(key);
    const pull = running ?? this.#start(key, request, auth, settings);
    pull.requests.add(request);
    if (running) takeNote(request, `Pulling ${image}: waiting for the pull of another task`);
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

  #start(
    key: string,
    { image, force }: ImageRequest,
    auth: RegistryAuth | undefined,
    settings: PullSettings,
  ): Pull {
    const requests = new Set<ImageRequest>();
    const abort = new AbortController();
    const { engine, records, reportEveryMs = REPORT_EVERY_MS } = this.#options;
    const deadline = startDeadline(settings.timeoutMs);
    const attempts = new PullAttempts({
      engine,
      records,
      settings,
      reportEveryMs,
      image,
      force,
      auth,
      waiting: requests,
    });
    const result = attempts
      .run(AbortSignal.any([abort.signal, deadline.signal]), deadline.signal)
      .finally(deadline.clear);
    const pull: Pull = { requests, abort, image: result.finally(() => this.#end(key, pull)) };
    // Nobody may wait for it any more.
    pull.image.catch(() => {});
    this.#pulls.set(key, pull);
    return pull;
  }
}

/** Unlike `AbortSignal.timeout`, it can be cleared: a worker makes one for each launch. */
function startDeadline(ms: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
