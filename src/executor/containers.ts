/** Performs the life cycle's actions on Docker and reports their results. */

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerCreation, type ContainerCreationOptions } from './container-creation.ts';
import { ContainerStops } from './container-stops.ts';
import { ContainerWatcher, type ContainerWatcherOptions } from './container-watcher.ts';
import { DockerRetries } from './docker-retries.ts';
import type { ExecutorAction, FoundContainer } from './domain/executor-state.ts';
import { taskFileName } from './domain/task-directory.ts';
import { TaskInvalidError } from './domain/task-plan.ts';
import { LABELS } from './identity.ts';
import type { Images } from './images.ts';
import { forgetPosition } from './output-writer.ts';
import { TaskFiles } from './task-files.ts';

/** Some eight minutes: a file system of a container may be in use by another program for a while. */
const REMOVE_ATTEMPTS = 20;
/** Wait after the first failed removal, which doubles with each further one, in milliseconds. */
const REMOVE_WAIT_MS = { first: 200, longest: 30_000 };

export type DockerAction = Exclude<ExecutorAction, { type: 'update' | 'check' | 'uncheck' | 'exit' }>;

export type ContainersOptions = Omit<
  ContainerCreationOptions & ContainerWatcherOptions,
  'closed' | 'filesOf' | 'retries' | 'stops'
> & {
  images: Images;
  /** True for a task of the 2013 form, whose output goes to the sandbox's own `stdout` and `stderr`. */
  isSingle: (taskId: string) => boolean;
};

export class Containers {
  readonly #options: ContainersOptions;
  /** Image preparations in progress, by task id. */
  readonly #preparing = new Map<string, AbortController>();
  readonly #closing = new AbortController();
  readonly #retries: DockerRetries;
  readonly #stops: ContainerStops;
  readonly #creation: ContainerCreation;
  readonly #watcher: ContainerWatcher;
  #swept: Promise<void> | undefined;

  constructor(options: ContainersOptions) {
    const { engine, log } = options;
    const closed = this.#closing.signal;
    this.#options = options;
    this.#retries = new DockerRetries(closed, log);
    this.#stops = new ContainerStops(engine, log);
    const filesOf = (taskId: string) => this.#filesOf(taskId);
    const shared = { ...options, retries: this.#retries, stops: this.#stops, filesOf, closed };
    this.#creation = new ContainerCreation(shared);
    this.#watcher = new ContainerWatcher(shared);
  }

  /** Never throws. A failure is logged, and reported as `failed` or `removed`. */
  perform(action: DockerAction): void {
    this.#run(action).catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#options.log({
        level: 'error',
        msg: `${action.type} failed`,
        task: action.taskId,
        reason: message,
      });
      if (action.type === 'abandon') return;
      if (action.type === 'remove') this.#options.report({ type: 'removed', taskId: action.taskId });
      else {
        const invalid = error instanceof TaskInvalidError;
        this.#options.report({ type: 'failed', taskId: action.taskId, message, ...(invalid && { invalid }) });
      }
    });
  }

  /** Asks Docker what it can do, before the first task needs it. A failure is left to that task, which asks again. */
  readFeatures(): void {
    this.#creation.readFeatures().catch(() => undefined);
  }

  /** Removes containers of this executor's earlier runs: Mesos has failed their tasks and offers their ports again. */
  sweep(): Promise<void> {
    this.#swept ??= this.#removeEarlierRuns().catch((error: unknown) => {
      this.#swept = undefined;
      throw error;
    });
    return this.#swept;
  }

  /** Lists the containers of this run. Retries while Docker is unreachable. */
  async find(): Promise<FoundContainer[]> {
    const { engine, identity } = this.#options;
    // The list distinguishes containers that still run from lost ones.
    const found = await this.#retries.runUntilAnswered(() =>
      engine.listContainers({ ...identity.executor, ...identity.run }),
    );
    return found.map((c) => ({
      taskId: c.Labels[LABELS.task] ?? '',
      container: c.Id,
      started: c.State !== 'created',
    }));
  }

  /** Removes every container of this run immediately and reports nothing afterwards. Rejects if Docker is unreachable. */
  async removeAll(): Promise<void> {
    const { engine, identity } = this.#options;
    this.#closing.abort();
    this.#stops.close();
    for (const controller of this.#preparing.values()) controller.abort();
    await this.#creation.settled();
    const found = await engine.listContainers({ ...identity.executor, ...identity.run });
    await Promise.all(found.map((c) => engine.removeContainer(c.Id)));
  }

  async #run(action: DockerAction): Promise<void> {
    switch (action.type) {
      case 'prepare':
        return await this.#prepare(action.taskId, action.image, action.forcePull === true);
      case 'abandon':
        this.#preparing.get(action.taskId)?.abort();
        return;
      case 'create':
        return await this.#creation.create(action.taskId, action.plan, action.exposed);
      case 'start':
        return await this.#watcher.start(action.taskId, action.container, action.output);
      case 'adopt':
        return await this.#watcher.watch(action.taskId, action.container, action.output);
      case 'stop':
        return this.#stops.stop(action.container, action.graceMs);
      case 'remove':
        return await this.#remove(action.taskId, action.container);
    }
  }

  async #prepare(taskId: string, image: string, force: boolean): Promise<void> {
    const { images, report } = this.#options;
    const controller = new AbortController();
    const { signal } = controller;
    this.#preparing.set(taskId, controller);
    try {
      const files = this.#filesOf(taskId);
      const [info] = await Promise.all([
        images.prepare({
          image,
          force,
          signal,
          fetched: this.#fetchedFor(taskId),
          note: (line) => files.note(line),
          progress: (message) => report({ type: 'pulling', taskId, message }),
        }),
        this.sweep(),
      ]);
      report({ type: 'image-ready', taskId, exposed: Object.keys(info.Config?.ExposedPorts ?? {}) });
    } catch (error) {
      const isWanted = !signal.aborted;
      // One of both has failed: the other is not needed.
      controller.abort();
      if (isWanted) throw error;
    } finally {
      this.#preparing.delete(taskId);
    }
  }

  async #remove(taskId: string, container: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#retries.run(() => this.#options.engine.removeContainer(container));
        break;
      } catch (error) {
        if (attempt === REMOVE_ATTEMPTS) throw error;
        await sleep(Math.min(REMOVE_WAIT_MS.longest, REMOVE_WAIT_MS.first * 2 ** (attempt - 1)));
      }
    }
    await forgetPosition(this.#options.sandbox, taskId);
    this.#filesOf(taskId).ended();
    this.#options.report({ type: 'removed', taskId });
  }

  async #removeEarlierRuns(): Promise<void> {
    const { engine, identity, log } = this.#options;
    const run = identity.run[LABELS.run];
    const found = await engine.listContainers(identity.executor);
    const earlier = found.filter((c) => c.Labels[LABELS.run] !== run);
    for (const c of earlier)
      log({ msg: 'removing a container of an earlier run', container: c.Id, labels: c.Labels });
    await Promise.all(earlier.map((c) => engine.removeContainer(c.Id)));
  }

  /** The directories into which the agent may have fetched files for the task. */
  #fetchedFor(taskId: string): string[] {
    const { sandbox } = this.#options;
    return [path.join(sandbox, 'tasks', taskFileName(taskId), 'sandbox'), path.join(sandbox, 'fetched')];
  }

  #filesOf(taskId: string): TaskFiles {
    return new TaskFiles(this.#options.sandbox, taskId, this.#options.isSingle(taskId));
  }
}
