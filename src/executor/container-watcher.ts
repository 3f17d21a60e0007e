/** Starts containers, and watches them to their ends. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError } from '../docker/connection.ts';
import type { ContainerInfo, ContainerWait, DockerEngine } from '../docker/engine.ts';
import { readPolicy } from './agent-policy.ts';
import type { ContainerStops } from './container-stops.ts';
import type { DockerRetries } from './docker-retries.ts';
import { startFailure } from './domain/default-options.ts';
import type { ExecutorInput, OutputStart } from './domain/executor-state.ts';
import { KILLED } from './domain/exit-text.ts';
import { lastLines, TAIL_BYTES } from './domain/last-lines.ts';
import { policyOrDefaults } from './domain/policy.ts';
import { outputLimits } from './domain/sandbox-policy.ts';
import { logFileBytes } from './domain/skipped-output.ts';
import { hasStartedProgram } from './init-process.ts';
import { type Log, logDuration } from './log.ts';
import { networksOf } from './networks.ts';
import type { StreamName, TaskFiles } from './task-files.ts';
import { OutputFollower } from './task-output.ts';
import { giveSandbox } from './task-sandbox.ts';

/** Time for an event of Docker that comes after the exit it belongs to. */
const LATE_EVENT_MS = 200;

export interface ContainerWatcherOptions {
  engine: DockerEngine;
  retries: DockerRetries;
  /** Informed when a container has ended. */
  stops: ContainerStops;
  filesOf: (taskId: string) => TaskFiles;
  /** The agent, `ip:port`. */
  agentEndpoint: string;
  /** The agent's policy; read for each container. */
  policyFile: string;
  report: (input: ExecutorInput) => void;
  /** When aborted, ends are no longer reported. */
  closed: AbortSignal;
  log: Log;
}

export class ContainerWatcher {
  readonly #options: ContainerWatcherOptions;

  constructor(options: ContainerWatcherOptions) {
    this.#options = options;
  }

  /** Starts a container and watches it. @param output undefined for a container of an older release */
  async start(taskId: string, container: string, output: OutputStart | undefined): Promise<void> {
    const { engine, filesOf, log, retries } = this.#options;
    await retries.run(() => giveSandbox(engine, container, filesOf(taskId), log));
    const start = output ?? filesOf(taskId).sizes();
    let attempts = 0;
    const wait = await retries.run(async () => {
      attempts += 1;
      return attempts > 1 && (await this.#isStarted(container))
        ? undefined
        : this.#startOnce(taskId, container);
    });
    await this.watch(taskId, container, start, wait?.exit);
  }

  /**
   * Watches a started container to its end. Reports `running` if it still runs, and `exited`.
   * @throws DockerError if another program has removed the container, so that its exit code is unknown
   */
  async watch(
    taskId: string,
    container: string,
    start: OutputStart | undefined,
    exit?: Promise<number>,
  ): Promise<void> {
    const { agentEndpoint, closed, engine, filesOf, log, policyFile, report, retries, stops } = this.#options;
    const info = await retries.run(() => engine.inspectContainer(container));
    const tty = info?.Config.Tty ?? false;
    const files = filesOf(taskId);
    const from = start ?? { stdout: 0, stderr: 0 };
    const limits = outputLimits(policyOrDefaults(readPolicy(policyFile)));
    const fileBytes = logFileBytes(info?.HostConfig.LogConfig);
    const output = new OutputFollower({
      ...{ engine, container, tty, fileBytes, files, taskId, limits, log },
      start: from,
    });
    let code: number | undefined;
    let last: ContainerInfo | undefined;
    try {
      // A container that has ended by now never ran for the framework.
      if (info && (await this.#isRunning(container, info, exit)))
        report({ type: 'running', taskId, networks: networksOf(info, agentEndpoint) });
      code = await this.#exitCode(container, exit);
      stops.ended(container);
      last = await retries.run(() => engine.inspectContainer(container));
    } finally {
      await output.drained();
    }
    if (closed.aborted) return;
    if (code === undefined) throw new DockerError('The container was removed by another program', 404);
    const outOfMemory = last?.State.OOMKilled || (code === KILLED && (await this.#ranOutOfMemory(container)));
    // With a terminal, all output is stdout.
    const stream = tty ? 'stdout' : 'stderr';
    report({
      type: 'exited',
      taskId,
      exit: {
        exitCode: code,
        outOfMemory,
        isRemoved: isBeingRemoved(last) && info?.HostConfig.AutoRemove !== true,
        lastLines: readLastLines(files, stream, from[stream]),
      },
    });
  }

  /** True if an interrupted attempt has started the container. */
  async #isStarted(container: string): Promise<boolean> {
    const info = await this.#options.engine.inspectContainer(container);
    return info !== undefined && info.State.Status !== 'created';
  }

  async #startOnce(taskId: string, container: string): Promise<ContainerWait> {
    const { engine, log } = this.#options;
    // The wait is registered before the start: a container with --rm may be gone right after it.
    const wait = engine.waitContainer(container, 'next-exit');
    await wait.registered;
    try {
      await logDuration(log, 'start', taskId, () => engine.startContainer(container));
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      throw new DockerError(`The container can't be started: ${startFailure(error.message)}`, error.status);
    }
    return wait;
  }

  /** True if the container's own program runs, and not only the init process that is about to start it. */
  async #isRunning(
    container: string,
    { State, HostConfig }: ContainerInfo,
    exit: Promise<number> | undefined,
  ): Promise<boolean> {
    if (!State.Running || !HostConfig.Init) return State.Running;
    const hasStarted = await hasStartedProgram(State.Pid);
    if (hasStarted !== undefined) return hasStarted;
    // They have ended, which Docker reports a little later; or Docker runs elsewhere.
    await Promise.race([...(exit ? [exit.catch(() => undefined)] : []), sleep(LATE_EVENT_MS)]);
    const { engine, retries } = this.#options;
    return (await retries.run(() => engine.inspectContainer(container)))?.State.Running ?? false;
  }

  /** Returns undefined if the container is gone, so that its exit code is unknown. */
  async #exitCode(container: string, first?: Promise<number>): Promise<number | undefined> {
    let exit = first;
    const attempt = () => {
      const current = exit ?? this.#options.engine.waitContainer(container, 'not-running').exit;
      exit = undefined;
      return current;
    };
    try {
      return await this.#options.retries.run(attempt);
    } catch (error) {
      if (error instanceof DockerError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Returns false if Docker does not answer: the exit is reported in any case. */
  async #ranOutOfMemory(container: string): Promise<boolean> {
    return this.#options.engine.ranOutOfMemory(container, LATE_EVENT_MS).catch(() => false);
  }
}

/** @param from the offset of the container's output in the file */
function readLastLines(files: TaskFiles, stream: StreamName, from: number): string {
  const { bytes, complete } = files.tail(stream, from, TAIL_BYTES);
  return lastLines(bytes.toString('utf8'), complete);
}

/** True if the container is gone or will be soon: `docker rm -f` marks it before it kills it. */
function isBeingRemoved(info: ContainerInfo | undefined): boolean {
  return info === undefined || info.State.Status === 'removing' || info.State.Status === 'dead';
}
