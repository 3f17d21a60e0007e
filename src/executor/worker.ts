/**
 * The executor's worker: passes events of the agent and results of Docker to the life cycle, and performs its actions.
 * main.ts loads this code after SUBSCRIBE was written.
 */

import { DockerEngine } from '../docker/engine.ts';
import type { ExecutorEnvironment } from '../mesos/executor-environment.ts';
import type { ExecutorEvent } from '../mesos/types.ts';
import type { ClientTls } from '../tls/settings.ts';
import type { AgentConnection } from './agent-connection.ts';
import { readPolicy } from './agent-policy.ts';
import { Containers } from './containers.ts';
import { inputOf } from './domain/agent-event.ts';
import { execContainerOf } from './domain/exec-container.ts';
import type { ExecutorAction, ExecutorInput } from './domain/executor-state.ts';
import { isEmptied, isIdle } from './domain/life-cycle.ts';
import { policyOrDefaults } from './domain/policy.ts';
import { gcLimits } from './domain/sandbox-policy.ts';
import { taskFileName } from './domain/task-directory.ts';
import type { OwnCommand } from './domain/task-plan.ts';
import { listUnacknowledged } from './domain/tasks.ts';
import { endLostCommands } from './exec-process.ts';
import { HealthChecks } from './health-checks.ts';
import { clusterOf, identityOf } from './identity.ts';
import { imageRecordsIn } from './image-records.ts';
import { Images } from './images.ts';
import { LifeCycleLoop } from './life-cycle-loop.ts';
import type { Log } from './log.ts';
import { forgetOtherPositions } from './output-writer.ts';
import { startCleaner } from './sandbox-cleaner.ts';
import { SchedulerMessages } from './scheduler-messages.ts';
import type { TaskStore } from './task-store.ts';

/** Part of the shutdown grace period that is reserved for removing the remaining containers by force. */
const FORCE_SLACK_MS = 700;
/** Time to wait for acknowledgements after SHUTDOWN; the agent may be gone. */
const LINGER_MS = 1000;

export interface WorkerOptions {
  environment: ExecutorEnvironment;
  /** Started. */
  agent: AgentConnection;
  /** The loaded tasks of an earlier worker. */
  store: TaskStore;
  own: OwnCommand;
  publishAddress: string | undefined;
  /** The agent's policy. */
  policyFile: string;
  /** The directory of the agent's records, which outlives the executor; undefined if it keeps none. */
  stateDirectory: string | undefined;
  /** The file with the schedulers' addresses. */
  schedulersFile: string | undefined;
  /** @returns how to connect to agents and schedulers. May throw. */
  serviceTls: () => ClientTls;
  idleTimeoutMs: number;
  log: Log;
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
  readonly #loop: LifeCycleLoop;
  readonly #messages: SchedulerMessages;
  readonly #containers: Containers;
  readonly #healthChecks: HealthChecks;
  readonly #engine = new DockerEngine();
  readonly #cluster = Promise.withResolvers<string>();
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
    this.#loop = new LifeCycleLoop({
      constants: {
        own: options.own,
        agentId: environment.agentId,
        executorId: environment.executorId,
        shutdownGraceMs: environment.shutdownGraceMs,
      },
      store: options.store,
      perform: (action) => this.#perform(action),
      onStored: () => this.#updateTimers(),
      log,
    });
    const engine = this.#engine;
    const { policyFile, publishAddress } = options;
    const records = imageRecordsIn(options.stateDirectory, log);
    const report = (input: ExecutorInput) => this.#take(input);
    this.#healthChecks = new HealthChecks({ engine, publishAddress, report, log });
    this.#containers = new Containers({
      engine,
      images: new Images({ engine, records, policy: () => readPolicy(policyFile) }),
      identity: identityOf(environment),
      cluster: this.#cluster.promise,
      sandbox: environment.directory,
      agentEndpoint: environment.agentEndpoint,
      isSingle: (taskId) => this.#loop.state.tasks.get(taskId)?.single ?? false,
      policyFile,
      publishAddress,
      searchPath: options.own.env.PATH,
      report,
      log,
    });
    this.#messages = new SchedulerMessages({
      engine,
      sandbox: environment.directory,
      policyFile,
      schedulersFile: options.schedulersFile,
      serviceTls: options.serviceTls,
      containerOf: (taskId) => execContainerOf(this.#loop.state, taskId),
      send: (data) => options.agent.sendMessage(data),
      log,
    });
  }

  start(): void {
    const { agent, store, environment, log } = this.#options;
    const { tasks } = this.#loop.state;
    log({ msg: 'starting', tasks: [...tasks.keys()] });
    this.#containers
      .sweep()
      .catch((error: unknown) =>
        log({ level: 'error', msg: 'cannot remove containers of earlier runs', reason: String(error) }),
      );
    this.#containers.readFeatures();
    void this.#cluster.promise.then((cluster) => this.#removeOrphans(cluster));
    if (!store.isIncomplete) forgetOtherPositions(environment.directory, tasks.keys());
    this.#recovering = tasks.size > 0 || store.isIncomplete;
    if (this.#recovering) void this.#recover();
    agent.listen({
      unacknowledged: () => listUnacknowledged(this.#loop.state),
      onEvent: (event) => this.#takeEvent(event),
      onRefused: (taskId, uuid) => this.#take({ type: 'refused', taskId, uuid }),
      onGaveUp: (reason) => void this.abandon(reason),
    });
    this.#updateTimers();
    this.#startCleaner();
  }

  #startCleaner(): void {
    const { environment, log, policyFile } = this.#options;
    this.#stopCleaner = startCleaner({
      root: environment.directory,
      limits: () => gcLimits(policyOrDefaults(readPolicy(policyFile))),
      // Until the containers are known, any task may be live.
      isLive: (name) =>
        this.#recovering || [...this.#loop.state.tasks.keys()].some((id) => taskFileName(id) === name),
      log,
    });
  }

  async #removeOrphans(cluster: string): Promise<void> {
    const { log } = this.#options;
    const { removeOrphans } = await import('./janitor.ts');
    await removeOrphans({ engine: this.#engine, cluster, log }).catch((error: unknown) =>
      log({ level: 'warning', msg: 'the janitor failed', reason: String(error) }),
    );
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
      case 'SUBSCRIBED':
        this.#cluster.resolve(clusterOf(event.subscribed.executor_info));
        break;
      case 'MESSAGE':
        if (!this.#finished) void this.#messages.take(event.message.data);
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
    const input = inputOf(event, () => readPolicy(this.#options.policyFile));
    if (input) this.#take(input);
  }

  #take(input: ExecutorInput): void {
    if (!this.#finished) this.#loop.take(input);
  }

  #perform(action: ExecutorAction): void {
    if (action.type === 'update') this.#options.agent.sendUpdate(action.status);
    else if (action.type === 'exit') this.#leave();
    else if (action.type === 'check') this.#healthChecks.check(action);
    else if (action.type === 'uncheck') this.#healthChecks.uncheck(action.taskId);
    else this.#containers.perform(action);
  }

  #updateTimers(): void {
    if (this.#shuttingDown && isEmptied(this.#loop.state)) {
      this.#lingerTimer ??= setTimeout(() => this.#leave(), LINGER_MS);
    }
    if (!isIdle(this.#loop.state) || this.#recovering) {
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
    void this.#options.agent.stop().then(this.#options.onFinished);
  }
}
