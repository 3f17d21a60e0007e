/** Creates the containers of tasks, each only once: an attempt that was interrupted may have created it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { createContainer, ENV_FILE_PATH, findDockerProgram } from '../docker/cli.ts';
import { DockerError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import { admitContainer } from './agent-policy.ts';
import { DiskLimit, readDockerFeatures } from './docker-features.ts';
import type { DockerRetries } from './docker-retries.ts';
import { createCommand, publishedPorts } from './domain/create-command.ts';
import { type DockerFeatures, defaultOptions, diskOption } from './domain/default-options.ts';
import type { ExecutorInput } from './domain/executor-state.ts';
import type { ContainerPlan } from './domain/task-plan.ts';
import { containerName, type Identity, LABELS, taskLabels } from './identity.ts';
import { type Log, logDuration } from './log.ts';
import { findVolumes, removeEarlierUsers } from './persistent-volumes.ts';
import type { TaskFiles } from './task-files.ts';
import { makeTaskSandbox, mountedPath } from './task-sandbox.ts';

/** Searches for a container whose name is in use, and the wait between them in milliseconds. */
const NAME_SEARCH = { attempts: 5, waitMs: 100 };

export interface ContainerCreationOptions {
  engine: DockerEngine;
  retries: DockerRetries;
  identity: Identity;
  /** Resolves when the executor has subscribed. No container is created before. */
  cluster: Promise<string>;
  /** The executor's sandbox, an absolute path. */
  sandbox: string;
  filesOf: (taskId: string) => TaskFiles;
  /** The agent's policy; read before each container is created. */
  policyFile: string;
  publishAddress: string | undefined;
  searchPath: string | undefined;
  report: (input: ExecutorInput) => void;
  /** When aborted, no further container is created. */
  closed: AbortSignal;
  log: Log;
}

export class ContainerCreation {
  readonly #options: ContainerCreationOptions;
  /** Runs of `docker create`, which can't be cancelled. */
  readonly #running = new Set<Promise<unknown>>();
  readonly #diskLimit = new DiskLimit();
  #features: Promise<DockerFeatures> | undefined;

  constructor(options: ContainerCreationOptions) {
    this.#options = options;
  }

  /** Asks Docker once what it can do, which takes it longer than other answers. */
  readFeatures(): Promise<DockerFeatures> {
    this.#features ??= readDockerFeatures(this.#options.engine).catch((error: unknown) => {
      this.#features = undefined;
      throw error;
    });
    return this.#features;
  }

  /** Resolves when the containers of all runs of `docker create` exist or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Reports `created`. @throws TaskInvalidError | DockerError */
  async create(taskId: string, planned: ContainerPlan, exposed: readonly string[]): Promise<void> {
    const { closed, cluster, engine, filesOf, identity, log, policyFile, publishAddress, report } =
      this.#options;
    const { retries, sandbox } = this.#options;
    const { plan, policy } = await admitContainer(planned, policyFile, engine);
    const defaults = defaultOptions(plan, policy, await this.readFeatures());
    const files = filesOf(taskId);
    const note = (line: string) => files.note(`mesosup: warning: ${line}`);
    for (const line of defaults.notes) note(line);
    for (const warning of publishedPorts(plan, exposed).warnings) note(warning);
    const output = files.sizes();
    makeTaskSandbox(files);
    const persistent = findVolumes(sandbox, plan.persistentVolumes);
    await retries.run(() => removeEarlierUsers(engine, persistent, taskLabels(identity, taskId), log));
    const volumes = [
      ...(plan.sandboxVolumes ?? []).map((volume) => mountedPath(files, volume)),
      ...persistent,
    ];
    const labels = { [LABELS.cluster]: await cluster, ...taskLabels(identity, taskId) };
    const command = (more: readonly string[]) =>
      createCommand({
        plan,
        exposed,
        defaults: [...defaults.words, ...more],
        labels,
        name: containerName(identity, taskId),
        publishAddress,
        sandbox: files.sandbox,
        volumes,
        envFilePath: ENV_FILE_PATH,
      });
    const program = await findDockerProgram(this.#options.searchPath);
    if (closed.aborted) return;
    const creating = logDuration(log, 'create', taskId, () =>
      this.#diskLimit.create(
        diskOption(plan),
        (more) => createContainer(program, sandbox, engine.socketPath, command(more)),
        note,
      ),
    );
    this.#running.add(creating);
    let container: string;
    try {
      container = await creating;
    } catch (error) {
      const earlier = await this.#earlierContainer(taskId, error as Error);
      if (!earlier) {
        void this.#removeUnreported(taskId);
        throw new DockerError(`The container can't be created: ${(error as Error).message}`, 0);
      }
      container = earlier;
    } finally {
      this.#running.delete(creating);
    }
    report({ type: 'created', taskId, container, output });
  }

  /**
   * Finds the container that blocks the name: a killed worker leaves its `docker create` running, which then creates the
   * container.
   */
  async #earlierContainer(taskId: string, error: Error): Promise<string | undefined> {
    const { engine, identity } = this.#options;
    const isInUse = /already in use/.test(error.message);
    for (let attempt = 1; isInUse && attempt <= NAME_SEARCH.attempts; attempt += 1) {
      const [earlier] = await engine.listContainers(taskLabels(identity, taskId));
      if (earlier) return earlier.Id;
      // Docker reserves the name shortly before it lists the container.
      await sleep(NAME_SEARCH.waitMs);
    }
    return undefined;
  }

  /** Removes the container of a creation that failed: Docker may have created it and then lost the connection. */
  async #removeUnreported(taskId: string): Promise<void> {
    const { closed, engine, identity, log, retries } = this.#options;
    try {
      const found = await retries.run(() => engine.listContainers(taskLabels(identity, taskId)));
      for (const { Id } of found) await retries.run(() => engine.removeContainer(Id));
    } catch (error) {
      if (closed.aborted) return;
      log({ level: 'error', msg: 'cannot remove the container', task: taskId, reason: String(error) });
    }
  }
}
