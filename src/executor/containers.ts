/** Performs the life cycle's actions on Docker and reports their results. */

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createContainer, ENV_FILE_PATH, findDockerProgram } from '../docker/cli.ts';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import type { ContainerInfo, ContainerWait, DockerEngine } from '../docker/engine.ts';
import { admitContainer, readPolicy } from './agent-policy.ts';
import { ContainerStops } from './container-stops.ts';
import { DiskLimit, readDockerFeatures } from './docker-features.ts';
import { createCommand, publishedPorts } from './domain/create-command.ts';
import { type DockerFeatures, defaultOptions, diskOption, startFailure } from './domain/default-options.ts';
import type { ExecutorAction, ExecutorInput, FoundContainer, OutputStart } from './domain/executor-state.ts';
import { lastLines, TAIL_BYTES } from './domain/last-lines.ts';
import { outputLimits } from './domain/sandbox-policy.ts';
import { logFileBytes } from './domain/skipped-output.ts';
import { taskFileName } from './domain/task-directory.ts';
import { type ContainerPlan, TaskInvalidError } from './domain/task-plan.ts';
import { containerName, type Identity, LABELS, taskLabels } from './identity.ts';
import type { Images } from './images.ts';
import { hasStartedProgram } from './init-process.ts';
import { type Log, preciseNow } from './log.ts';
import { networksOf } from './networks.ts';
import { forgetPosition } from './output-writer.ts';
import { TaskFiles } from './task-files.ts';
import { OutputFollower } from './task-output.ts';
import { giveSandbox, makeTaskSandbox } from './task-sandbox.ts';

/** Wait between attempts to reach Docker, in milliseconds. */
const RETRY_MS = { first: 100, longest: 2000 };
const REMOVE_ATTEMPTS = 5;
const NAME_ATTEMPTS = 5;
/** Exit code of a process that SIGKILL ended, which is how the kernel enforces a memory limit. */
const KILLED = 137;
/** Time for an event of Docker that comes after the exit it belongs to. */
const LATE_EVENT_MS = 200;

export type DockerAction = Exclude<ExecutorAction, { type: 'update' | 'check' | 'uncheck' | 'exit' }>;

export interface ContainersOptions {
  engine: DockerEngine;
  images: Images;
  identity: Identity;
  /** Resolves when the executor has subscribed. No container is created before. */
  cluster: Promise<string>;
  /** The executor's sandbox, an absolute path. */
  sandbox: string;
  /** The agent, `ip:port`. */
  agentEndpoint: string;
  /** True for a task of the 2013 form, whose output goes to the sandbox's own `stdout` and `stderr`. */
  isSingle: (taskId: string) => boolean;
  /** The agent's policy; read before each container is created. */
  policyFile: string;
  publishAddress: string | undefined;
  searchPath: string | undefined;
  report: (input: ExecutorInput) => void;
  log: Log;
}

export class Containers {
  readonly #options: ContainersOptions;
  /** Image preparations in progress, by task id. */
  readonly #preparing = new Map<string, AbortController>();
  /** Runs of `docker create` that `removeAll` waits for, since they can't be cancelled. */
  readonly #creating = new Set<Promise<unknown>>();
  readonly #stops: ContainerStops;
  readonly #diskLimit = new DiskLimit();
  #features: DockerFeatures | undefined;
  #swept: Promise<void> | undefined;
  #closed = false;

  constructor(options: ContainersOptions) {
    this.#options = options;
    this.#stops = new ContainerStops(options.engine, options.log);
  }

  /** Never throws. A failure is logged, and reported as `failed` or `removed`. */
  perform(action: DockerAction): void {
    this.#run(action).catch((error: unknown) => {
      if (this.#closed) return;
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
    const found = await this.#retryWhileUnavailable(() =>
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
    this.#closed = true;
    this.#stops.close();
    for (const controller of this.#preparing.values()) controller.abort();
    await Promise.allSettled(this.#creating);
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
        return await this.#create(action.taskId, action.plan, action.exposed);
      case 'start':
        return await this.#start(action.taskId, action.container, action.output);
      case 'adopt':
        return await this.#watch(action.taskId, action.container, action.output);
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
      await this.sweep();
      const files = this.#filesOf(taskId);
      const info = await images.prepare({
        image,
        force,
        signal,
        fetched: this.#fetchedFor(taskId),
        note: (line) => files.note(line),
        progress: (message) => report({ type: 'pulling', taskId, message }),
      });
      report({ type: 'image-ready', taskId, exposed: Object.keys(info.Config?.ExposedPorts ?? {}) });
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#preparing.delete(taskId);
    }
  }

  async #create(taskId: string, planned: ContainerPlan, exposed: readonly string[]): Promise<void> {
    const { cluster, engine, identity, policyFile, publishAddress, report, sandbox, searchPath } =
      this.#options;
    const { plan, policy } = await admitContainer(planned, policyFile, engine);
    this.#features ??= await readDockerFeatures(engine);
    const defaults = defaultOptions(plan, policy, this.#features);
    const files = this.#filesOf(taskId);
    const note = (line: string) => files.note(`mesosup: warning: ${line}`);
    for (const line of defaults.notes) note(line);
    for (const warning of publishedPorts(plan, exposed).warnings) note(warning);
    const output = files.sizes();
    makeTaskSandbox(files);
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
        envFilePath: ENV_FILE_PATH,
      });
    const program = await findDockerProgram(searchPath);
    if (this.#closed) return;
    const creating = this.#timed('create', taskId, () =>
      this.#diskLimit.create(
        diskOption(plan),
        (more) => createContainer(program, sandbox, engine.socketPath, command(more)),
        note,
      ),
    );
    this.#creating.add(creating);
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
      this.#creating.delete(creating);
    }
    report({ type: 'created', taskId, container, output });
  }

  /**
   * Finds the container that blocks the name: a killed worker leaves its `docker create` running, which then creates the
   * container.
   */
  async #earlierContainer(taskId: string, error: Error): Promise<string | undefined> {
    const { engine, identity } = this.#options;
    for (let attempt = 1; attempt <= NAME_ATTEMPTS && /already in use/.test(error.message); attempt += 1) {
      const [earlier] = await engine.listContainers(taskLabels(identity, taskId));
      if (earlier) return earlier.Id;
      // Docker reserves the name shortly before it lists the container.
      await sleep(RETRY_MS.first);
    }
    return undefined;
  }

  /** Removes the container of a creation that failed: Docker may have created it and then lost the connection. */
  async #removeUnreported(taskId: string): Promise<void> {
    const { engine, identity, log } = this.#options;
    try {
      const found = await this.#retryWhileUnavailable(() =>
        engine.listContainers(taskLabels(identity, taskId)),
      );
      for (const { Id } of found) await this.#retryWhileUnavailable(() => engine.removeContainer(Id));
    } catch (error) {
      if (this.#closed) return;
      log({ level: 'error', msg: 'cannot remove the container', task: taskId, reason: String(error) });
    }
  }

  async #start(taskId: string, container: string, output: OutputStart | undefined): Promise<void> {
    await this.#retryWhileUnavailable(() =>
      giveSandbox(this.#options.engine, container, this.#filesOf(taskId), this.#options.log),
    );
    const start = output ?? this.#filesOf(taskId).sizes();
    let attempts = 0;
    const wait = await this.#retryWhileUnavailable(async () => {
      attempts += 1;
      return attempts > 1 && (await this.#isStarted(container))
        ? undefined
        : this.#startOnce(taskId, container);
    });
    await this.#watch(taskId, container, start, wait?.exit);
  }

  /** True if an interrupted attempt has started the container. */
  async #isStarted(container: string): Promise<boolean> {
    const info = await this.#options.engine.inspectContainer(container);
    return info !== undefined && info.State.Status !== 'created';
  }

  async #startOnce(taskId: string, container: string): Promise<ContainerWait> {
    const { engine } = this.#options;
    // The wait is registered before the start: a container with --rm may be gone right after it.
    const wait = engine.waitContainer(container, 'next-exit');
    await wait.registered;
    try {
      await this.#timed('start', taskId, () => engine.startContainer(container));
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      throw new DockerError(`The container can't be started: ${startFailure(error.message)}`, error.status);
    }
    return wait;
  }

  /** Follows a started container to its end. */
  async #watch(
    taskId: string,
    container: string,
    start: OutputStart | undefined,
    exit?: Promise<number>,
  ): Promise<void> {
    const { agentEndpoint, engine, log, policyFile, report } = this.#options;
    const info = await this.#retryWhileUnavailable(() => engine.inspectContainer(container));
    const tty = info?.Config.Tty ?? false;
    const files = this.#filesOf(taskId);
    const from = start ?? { stdout: 0, stderr: 0 };
    const reading = readPolicy(policyFile);
    const limits = outputLimits('policy' in reading ? reading.policy : undefined);
    const fileBytes = logFileBytes(info?.HostConfig.LogConfig);
    const output = new OutputFollower({
      ...{ engine, container, tty, fileBytes, files, taskId, limits, log },
      start: from,
    });
    // A container that has ended by now never ran for the framework.
    if (info && (await this.#isRunning(container, info)))
      report({ type: 'running', taskId, networks: networksOf(info, agentEndpoint) });
    const code = await this.#exitCode(container, exit);
    this.#stops.ended(container);
    const last = await this.#retryWhileUnavailable(() => engine.inspectContainer(container));
    await output.drained();
    if (this.#closed) return;
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
        lastLines: this.#lastLines(files, stream, from[stream]),
      },
    });
  }

  /** @param from the offset of the container's output in the file */
  #lastLines(files: TaskFiles, stream: 'stdout' | 'stderr', from: number): string {
    const { bytes, complete } = files.tail(stream, from, TAIL_BYTES);
    return lastLines(bytes.toString('utf8'), complete);
  }

  /** Returns false if Docker does not answer: the exit is reported in any case. */
  async #ranOutOfMemory(container: string): Promise<boolean> {
    return this.#options.engine.ranOutOfMemory(container, LATE_EVENT_MS).catch(() => false);
  }

  /** True if the container's own program runs, and not only the init process that is about to start it. */
  async #isRunning(container: string, { State, HostConfig }: ContainerInfo): Promise<boolean> {
    if (!State.Running || !HostConfig.Init || (await hasStartedProgram(State.Pid))) return State.Running;
    // The processes can't be seen if Docker runs elsewhere.
    return (await this.#options.engine.inspectContainer(container))?.State.Running ?? false;
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
      return await this.#retryWhileUnavailable(attempt);
    } catch (error) {
      if (error instanceof DockerError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #remove(taskId: string, container: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#retryWhileUnavailable(() => this.#options.engine.removeContainer(container));
        break;
      } catch (error) {
        if (attempt === REMOVE_ATTEMPTS) throw error;
        await sleep(RETRY_MS.first * 2 ** attempt);
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

  /** Repeats the attempt while Docker is unreachable. */
  async #retryWhileUnavailable<T>(attempt: () => Promise<T>): Promise<T> {
    for (let wait = RETRY_MS.first; ; wait = Math.min(wait * 2, RETRY_MS.longest)) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof DockerUnavailableError) || this.#closed) throw error;
        this.#options.log({ level: 'warning', msg: 'waiting for Docker', reason: error.message });
        await sleep(wait);
      }
    }
  }

  async #timed<T>(op: string, task: string, run: () => Promise<T>): Promise<T> {
    const start = preciseNow();
    try {
      return await run();
    } finally {
      this.#options.log({ op, task, start, end: preciseNow() });
    }
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

/** True if the container is gone or will be soon: `docker rm -f` marks it before it kills it. */
function isBeingRemoved(info: ContainerInfo | undefined): boolean {
  return info === undefined || info.State.Status === 'removing' || info.State.Status === 'dead';
}
