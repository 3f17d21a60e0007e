/**
 * An executor's session with its agent. Unlike a scheduler's it has no watchdog (the agent sends a heartbeat every
 * 30 minutes only) and doesn't look for anybody: the agent is where the environment says, or it is gone.
 */

import type { ExecutorEnvironment } from './executor-environment.ts';
import { type CallConnection, MesosCallError, messageOf, openCallConnection } from './http.ts';
import { systemTimer, type Timer } from './retry.ts';
import { openSubscription, type Subscription } from './subscription.ts';
import type { ExecutorCall, ExecutorEvent, TaskInfo, TaskStatus } from './types.ts';

export { type ExecutorEnvironment, readExecutorEnvironment } from './executor-environment.ts';

/**
 * Wait between attempts, in milliseconds, somewhere in this interval: a restarted agent kills executors that are
 * silent for 2 s (`executor_reregistration_timeout`), and answers 503 while it recovers.
 */
const RETRY_MS = { least: 100, most: 250 };

export interface ExecutorSessionOptions {
  environment: ExecutorEnvironment;
  /**
   * What goes into each SUBSCRIBE: updates sent and not yet acknowledged, and tasks launched none of whose updates
   * was acknowledged. A task the agent holds for STAGING and that is in neither becomes TASK_LOST.
   */
  unacknowledged: () => { tasks: TaskInfo[]; updates: { status: TaskStatus }[] };
  /** Every event but HEARTBEAT, in order. After SHUTDOWN, end the tasks and exit within the grace period. */
  onEvent: (event: ExecutorEvent) => void;
  /** The subscription is gone, or an attempt failed. A new attempt follows by itself, or `onGaveUp`. */
  onDisconnected: (reason: string) => void;
  /** The agent is gone for good: not checkpointed, or the recovery timeout has passed. The session has ended. */
  onGaveUp: (reason: string) => void;
  /** Randomness for the wait between attempts, in [0, 1). Math.random by default. */
  random?: () => number;
  timer?: Timer;
}

export interface ExecutorSession {
  /** Subscribes, and keeps subscribing after every disconnect until `stop` or `onGaveUp`. */
  start(): void;
  /**
   * Sends a call after all calls made before it, with the executor's and the framework's id filled in. Resolves at
   * 202.
   * @throws MesosCallError with the status of a refusal; without one where nothing was answered or the session is
   *   not subscribed. An update that was not taken stays unacknowledged, and so is in the next SUBSCRIBE.
   */
  call(call: Exclude<ExecutorCall, { type: 'SUBSCRIBE' }>): Promise<void>;
  /** Ends the subscription and all calls under way. */
  stop(): Promise<void>;
}

/** One connection to the agent, from the attempt on. */
interface Connection {
  subscription: Subscription;
  calls: CallConnection;
  subscribed: boolean;
}

export function createExecutorSession(options: ExecutorSessionOptions): ExecutorSession {
  return new Session(options);
}

class Session implements ExecutorSession {
  readonly #options: ExecutorSessionOptions;
  readonly #timer: Timer;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  #running = false;
  #connection: Connection | undefined;
  #cancelRetry: () => void = () => {};
  /** Set from a disconnect (or the start) to SUBSCRIBED. */
  #cancelGivingUp: (() => void) | undefined;

  constructor(options: ExecutorSessionOptions) {
    const { agentEndpoint, authenticationToken } = options.environment;
    this.#options = options;
    this.#timer = options.timer ?? systemTimer;
    this.#url = new URL(`http://${agentEndpoint}/api/v1/executor`);
    this.#headers =
      authenticationToken === undefined ? {} : { Authorization: `Bearer ${authenticationToken}` };
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#countDown();
    this.#connect();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelRetry();
    this.#cancelGivingUp?.();
    this.#cancelGivingUp = undefined;
    this.#connection?.calls.close();
    this.#drop();
  }

  async call(call: Exclude<ExecutorCall, { type: 'SUBSCRIBE' }>): Promise<void> {
    const connection = this.#connection;
    if (!connection?.subscribed) {
      throw new MesosCallError(`${call.type} was not sent: the executor is not subscribed to its agent`);
    }
    try {
      await connection.calls.send({
        ...this.#destination(),
        body: JSON.stringify({ ...call, ...this.#ids() }),
        // The agent knows an update it has seen by its uuid.
        repeatable: call.type === 'UPDATE',
      });
    } catch (error) {
      const answered = error instanceof MesosCallError && error.status !== undefined;
      const unsubscribed = !answered || error.status === 403 || error.status === 503;
      if (this.#connection === connection && unsubscribed) this.#lost(`${call.type}: ${messageOf(error)}`);
      throw error;
    }
  }

  #destination() {
    const { domainSocket } = this.#options.environment;
    return {
      url: this.#url,
      headers: this.#headers,
      ...(domainSocket !== undefined && { socketPath: domainSocket }),
    };
  }

  #ids() {
    const { executorId, frameworkId } = this.#options.environment;
    return { executor_id: { value: executorId }, framework_id: { value: frameworkId } };
  }

  #connect(): void {
    const { tasks, updates } = this.#options.unacknowledged();
    const connection: Connection = {
      calls: openCallConnection(this.#timer),
      subscribed: false,
      subscription: openSubscription<ExecutorEvent>({
        ...this.#destination(),
        call: {
          type: 'SUBSCRIBE',
          ...this.#ids(),
          subscribe: { unacknowledged_tasks: tasks, unacknowledged_updates: updates },
        },
        onOpen: () => {},
        onEvent: (event) => this.#take(connection, event),
        onClosed: (reason) => this.#lost(reason),
      }),
    };
    this.#connection = connection;
  }

  #take(connection: Connection, event: ExecutorEvent): void {
    if (event.type === 'HEARTBEAT') return;
    if (event.type === 'SUBSCRIBED') {
      connection.subscribed = true;
      this.#cancelGivingUp?.();
      this.#cancelGivingUp = undefined;
    }
    this.#options.onEvent(event);
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.subscription.close();
    connection?.calls.end();
  }

  #lost(reason: string): void {
    this.#drop();
    if (!this.#running) return;
    this.#options.onDisconnected(reason);
    if (!this.#running) return;
    if (!this.#options.environment.checkpoint) {
      this.#giveUp(`${reason}; the framework does not checkpoint, so the agent will not come back for this`);
      return;
    }
    this.#countDown();
    const wait = RETRY_MS.least + (RETRY_MS.most - RETRY_MS.least) * (this.#options.random ?? Math.random)();
    this.#cancelRetry();
    this.#cancelRetry = this.#timer(wait, () => this.#connect());
  }

  #countDown(): void {
    const { recoveryTimeoutMs } = this.#options.environment;
    this.#cancelGivingUp ??= this.#timer(recoveryTimeoutMs, () =>
      this.#giveUp(`the agent was not back within its recovery timeout of ${recoveryTimeoutMs / 1000} s`),
    );
  }

  #giveUp(reason: string): void {
    void this.stop();
    this.#options.onGaveUp(reason);
  }
}
