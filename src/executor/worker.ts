/**
 * The executor's worker. Passes events of the agent and results of Docker to the life cycle one at a time, stores the
 * new state, and then performs the actions.
 */

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { DockerEngine } from '../docker/engine.ts';
import { encodeRegret, readInvitation } from '../exec/control.ts';
import { encodeFilesAnswer, type FilesRequest, readFilesRequest } from '../exec/files.ts';
import type { ExecutorEnvironment } from '../mesos/executor-environment.ts';
import { createExecutorSession, type ExecutorSession } from '../mesos/executor-session.ts';
import { MesosCallError } from '../mesos/http.ts';
import type { ExecutorEvent, TaskStatus } from '../mesos/types.ts';
import { uuidBase64 } from '../mesos/uuid.ts';
import { readPolicy } from './agent-policy.ts';
import { Containers } from './containers.ts';
import { execContainerOf, findExecProblem } from './domain/exec-container.ts';
import {
  type Constants,
  type ExecutorAction,
  type ExecutorInput,
  INITIAL,
  type State,
} from './domain/executor-state.ts';
import { decide, isEmptied, isIdle, listUnacknowledged } from './domain/life-cycle.ts';
import { gcLimits } from './domain/sandbox-policy.ts';
import { taskFileName } from './domain/task-directory.ts';
import type { OwnCommand } from './domain/task-plan.ts';
import type { ExecSessions } from './exec.ts';
import { HealthChecks } from './health-checks.ts';
import { clusterOf, identityOf } from './identity.ts';
import type { ImageRecords } from './image-records.ts';
import { Images } from './images.ts';
import type { Log } from './log.ts';
import { forgetOtherPositions } from './output-writer.ts';
import { startCleaner } from './sandbox-cleaner.ts';
import { TaskStore } from './task-store.ts';

/** Part of the shutdown grace period that is reserved for removing the remaining containers by force. */
const FORCE_SLACK_MS = 700;
/** Time to wait for acknowledgements after SHUTDOWN; the agent may be gone. */
const LINGER_MS = 1000;
/** Wait before a refused update is sent again, in milliseconds. */
const REFUSED_MS = { first: 100, longest: 30_000 };

export interface WorkerOptions {
  environment: ExecutorEnvironment;
  own: OwnCommand;
  publishAddress: string | undefined;
  /** The agent's policy. */
  policyFile: string;
  /** Undefined if the agent keeps no records of its images. */
  imageRecords: ImageRecords | undefined;
  /** The file with the schedulers' addresses. */
  schedulersFile: string | undefined;
  idleTimeoutMs: number;
  log: Log;
  /** Called once, with the cluster's name, after the first subscription. */
  onCluster: (cluster: string) => void;
  /** Called once, when the worker has finished. */
  onFinished: () => void;
}

export interface Worker {
  /** Ends all tasks within the shutdown grace period, then finishes. */
  shutDown(): void;
  /** Removes the containers immediately, then finishes. For an executor that has ended for Mesos. */
  abandon(reason: string): Promise<void>;
}

export function startWorker(options: WorkerOptions): Worker {
  const worker = new DockerWorker(options);
  worker.start();
  return worker;
}

class DockerWorker implements Worker {
  readonly #options: WorkerOptions;
  readonly #constants: Constants;
  readonly #store: TaskStore;
  readonly #session: ExecutorSession;
  readonly #containers: Containers;
  readonly #healthChecks: HealthChecks;
  readonly #engine = new DockerEngine();
  readonly #cluster = Promise.withResolvers<string>();
  #state: State;
  #exec: Promise<ExecSessions> | undefined;
  #actions: ExecutorAction[] = [];
  #flushing = false;
  #subscribed = false;
  /** UUIDs of the updates in the current SUBSCRIBE. */
  #updatesInSubscribe: ReadonlySet<string | undefined> = new Set();
  #refusedInARow = 0;
  #shuttingDown = false;
  /** True until the containers of this run were listed after a restart. */
  #recovering = false;
  #finished = false;
  #stopCleaner = () => {};
  #idleTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions) {
    const { environment, log } = options;
    this.#options = options;
    this.#constants = {
      own: options.own,
      agentId: environment.agentId,
      executorId: environment.executorId,
      shutdownGraceMs: environment.shutdownGraceMs,
    };
    this.#store = new TaskStore(path.join(environment.directory, 'state'));
    this.#state = { ...INITIAL, tasks: this.#store.load(log) };
    const engine = this.#engine;
    const { imageRecords: records, policyFile, publishAddress } = options;
    const report = (input: ExecutorInput) => this.#take(input);
    this.#healthChecks = new HealthChecks({ engine, publishAddress, report, log });
    this.#containers = new Containers({
      engine,
      images: new Images({ engine, records, policy: () => readPolicy(policyFile) }),
      identity: identityOf(environment),
      cluster: this.#cluster.promise,
      sandbox: environment.directory,
      agentEndpoint: environment.agentEndpoint,
      isSingle: (taskId) => this.#state.tasks.get(taskId)?.single ?? false,
      policyFile,
      publishAddress,
      searchPath: options.own.env.PATH,
      report,
      log,
    });
    this.#session = createExecutorSession({
      environment,
      unacknowledged: () => {
        const unacknowledged = listUnacknowledged(this.#state);
        this.#updatesInSubscribe = new Set(unacknowledged.updates.map((u) => u.status.uuid));
        return unacknowledged;
      },
      onEvent: (event) => this.#takeEvent(event),
      onDisconnected: (reason) => {
        this.#subscribed = false;
        log({ level: 'warning', msg: 'disconnected from the agent', reason });
      },
      onGaveUp: (reason) => void this.abandon(reason),
    });
  }

  start(): void {
    const { log } = this.#options;
    log({ msg: 'starting', tasks: [...this.#state.tasks.keys()] });
    this.#session.start();
    void this.#cluster.promise.then(this.#options.onCluster);
    // After SUBSCRIBE was written: the first task on an agent waits for it.
    setImmediate(() => {
      this.#containers
        .sweep()
        .catch((error: unknown) =>
          log({ level: 'error', msg: 'cannot remove containers of earlier runs', reason: String(error) }),
        );
    });
    if (!this.#store.isIncomplete)
      forgetOtherPositions(this.#options.environment.directory, this.#state.tasks.keys());
    this.#recovering = this.#state.tasks.size > 0 || this.#store.isIncomplete;
    if (this.#recovering) void this.#recover();
    this.#updateIdleTimer();
    this.#startCleaner();
  }

  #startCleaner(): void {
    const { environment, log, policyFile } = this.#options;
    this.#stopCleaner = startCleaner({
      root: environment.directory,
      limits: () => {
        const reading = readPolicy(policyFile);
        return gcLimits('policy' in reading ? reading.policy : undefined);
      },
      // Until the containers are known, any task may be live.
      isLive: (name) =>
        this.#recovering || [...this.#state.tasks.keys()].some((id) => taskFileName(id) === name),
      log,
    });
  }

  shutDown(): void {
    if (this.#shuttingDown) return;
    this.#shuttingDown = true;
    const forced = Math.max(0, this.#options.environment.shutdownGraceMs - FORCE_SLACK_MS);
    setTimeout(() => void this.abandon('the shutdown grace period is over'), forced);
    this.#take({ type: 'shutdown' });
  }

  async abandon(reason: string): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    const { log } = this.#options;
    log({ level: 'warning', msg: 'removing all containers', reason });
    this.#healthChecks.close();
    try {
      await this.#containers.removeAll();
    } catch (error) {
      log({
        level: 'error',
        msg: 'cannot remove all containers; the janitor will remove them',
        reason: String(error),
      });
    }
    this.#leave();
  }

  async #recover(): Promise<void> {
    const containers = await this.#containers.find();
    this.#recovering = false;
    this.#take({ type: 'recovered', containers });
    for (const { container, started } of containers) if (started) void this.#endLostCommands(container);
  }

  async #endLostCommands(container: string): Promise<void> {
    const { endLostCommands } = await import('./exec-process.ts');
    await endLostCommands(this.#engine, container).catch((error: unknown) => {
      this.#options.log({
        level: 'warning',
        msg: 'cannot end the commands of exec sessions',
        container,
        reason: String(error),
      });
    });
  }

  #takeEvent(event: ExecutorEvent): void {
    switch (event.type) {
      case 'SUBSCRIBED': {
        this.#subscribed = true;
        this.#cluster.resolve(clusterOf(event.subscribed.executor_info));
        const { capabilities = [] } = event.subscribed.framework_info;
        this.#take({ type: 'subscribed', capabilities: capabilities.map((c) => c.type) });
        // Sends the updates that were made since SUBSCRIBE was written.
        const unacknowledged = listUnacknowledged(this.#state).updates.map((u) => u.status);
        for (const status of unacknowledged.filter((s) => !this.#updatesInSubscribe.has(s.uuid)))
          this.#send(status);
        break;
      }
      case 'LAUNCH':
        this.#take({ type: 'launch', task: event.launch.task, policy: readPolicy(this.#options.policyFile) });
        break;
      case 'KILL': {
        const nanoseconds = event.kill.kill_policy?.grace_period?.nanoseconds;
        const graceMs = nanoseconds === undefined ? undefined : nanoseconds / 1e6;
        this.#take({ type: 'kill', taskId: event.kill.task_id.value, graceMs });
        break;
      }
      case 'ACKNOWLEDGED': {
        const { task_id, uuid } = event.acknowledged;
        this.#take({ type: 'acknowledged', taskId: task_id.value, uuid });
        break;
      }
      case 'MESSAGE':
        void this.#takeMessage(event.message.data);
        break;
      case 'SHUTDOWN':
        this.shutDown();
        break;
      case 'ERROR':
        this.#options.log({ level: 'error', msg: 'the agent reports an error', reason: event.error.message });
        break;
      default:
        break;
    }
  }

  /** Takes part in an exec session to which the scheduler invites, or reads files for it. */
  async #takeMessage(data: string): Promise<void> {
    if (this.#finished) return;
    const request = readFilesRequest(data);
    if (request) return this.#answerFiles(request);
    const invitation = readInvitation(data);
    if (!invitation) return;
    this.#exec ??= this.#loadExec();
    await (await this.#exec).join(invitation);
  }

  async #answerFiles(request: FilesRequest): Promise<void> {
    const { readSandbox } = await import('./sandbox-reader.ts');
    const found = readSandbox(this.#options.environment.directory, request);
    // Not repeated: the scheduler asks again.
    await this.#session
      .call({ type: 'MESSAGE', message: { data: encodeFilesAnswer(request.id, found) } })
      .catch(() => undefined);
  }

  /** Loads the code for exec on demand: the first task on an agent waits for the start of this program. */
  async #loadExec(): Promise<ExecSessions> {
    const { ExecSessions } = await import('./exec.ts');
    const { policyFile, schedulersFile, log } = this.#options;
    return new ExecSessions({
      engine: this.#engine,
      schedulersFile,
      forbidden: () => findExecProblem(readPolicy(policyFile)),
      containerOf: (taskId) => execContainerOf(this.#state, taskId),
      // Not repeated: the scheduler invites again.
      regret: (regret) =>
        void this.#session
          .call({ type: 'MESSAGE', message: { data: encodeRegret(regret) } })
          .catch(() => undefined),
      log,
    });
  }

  #take(input: ExecutorInput): void {
    if (this.#finished) return;
    const stamp = { now: Date.now(), uuid: () => uuidBase64(randomBytes(16)) };
    const { state, actions } = decide(this.#state, input, this.#constants, stamp);
    this.#state = state;
    this.#actions.push(...actions);
    if (this.#flushing) return;
    this.#flushing = true;
    // One flush for all events of a chunk.
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const actions = this.#actions;
    this.#actions = [];
    this.#save();
    for (const action of actions) this.#perform(action);
    this.#updateIdleTimer();
    if (this.#shuttingDown && isEmptied(this.#state)) {
      this.#lingerTimer ??= setTimeout(() => this.#leave(), LINGER_MS);
    }
  }

  /** A full disk must not end the tasks: the error is logged, and the next change tries again. */
  #save(): void {
    try {
      this.#store.save(this.#state.tasks);
    } catch (error) {
      this.#options.log({ level: 'error', msg: 'cannot store the tasks', reason: String(error) });
    }
  }

  #perform(action: ExecutorAction): void {
    if (action.type === 'update') this.#send(action.status);
    else if (action.type === 'exit') this.#leave();
    else if (action.type === 'check') this.#healthChecks.check(action);
    else if (action.type === 'uncheck') this.#healthChecks.uncheck(action.taskId);
    else this.#containers.perform(action);
  }

  /** Sends an update if subscribed; otherwise the next SUBSCRIBE contains it. */
  #send(status: TaskStatus): void {
    const { log } = this.#options;
    const { state, message, healthy, uuid = '' } = status;
    const taskId = status.task_id.value;
    const more = { ...(message !== undefined && { message }), ...(healthy !== undefined && { healthy }) };
    log({ msg: state, task: taskId, ...more });
    if (!this.#subscribed) return;
    this.#session.call({ type: 'UPDATE', update: { status } }).then(
      () => {
        this.#refusedInARow = 0;
      },
      (error: unknown) => {
        const answered = error instanceof MesosCallError ? error.status : undefined;
        log({
          level: 'error',
          msg: 'an update was not accepted',
          task: taskId,
          state,
          reason: String(error),
        });
        // 403 and 503 mean that the executor is not subscribed; the session subscribes again, with this update.
        if (answered === undefined || answered === 403 || answered === 503) return;
        const wait = Math.min(REFUSED_MS.longest, REFUSED_MS.first * 2 ** this.#refusedInARow);
        this.#refusedInARow += 1;
        setTimeout(() => this.#take({ type: 'refused', taskId, uuid }), wait);
      },
    );
  }

  #updateIdleTimer(): void {
    if (!isIdle(this.#state) || this.#recovering) {
      clearTimeout(this.#idleTimer);
      this.#idleTimer = undefined;
    } else {
      this.#idleTimer ??= setTimeout(() => this.#leave(), this.#options.idleTimeoutMs);
    }
  }

  #leave(): void {
    this.#finished = true;
    this.#stopCleaner();
    this.#healthChecks.close();
    void this.#session.stop().then(this.#options.onFinished);
  }
}
