/**
 * An executor's session with its agent. Unlike a scheduler's session it has no watchdog, since the agent sends a
 * heartbeat only every 30 minutes, and no leader detection, since the environment has the agent's address.
 */

import type { Transport } from '../tls/connect.ts';
import type { ExecutorEnvironment } from './executor-environment.ts';
import { type CallConnection, MesosCallError, messageOf, openCallConnection } from './http.ts';
import { systemTimer, type Timer } from './retry.ts';
import { openSubscription, type Subscription } from './subscription.ts';
import type { ExecutorCall, ExecutorEvent, TaskInfo, TaskStatus } from './types.ts';

export { type ExecutorEnvironment, readExecutorEnvironment } from './executor-environment.ts';

/**
 * Range of the random wait between attempts, in milliseconds. A restarted agent kills executors that are silent for 2 s
 * (`executor_reregistration_timeout`), and answers 503 while it recovers.
 */
const RETRY_MS = { least: 100, most: 250 };

export interface ExecutorSessionOptions {
  environment: ExecutorEnvironment;
  /**
   * Returns the content of each SUBSCRIBE: unacknowledged updates, and tasks without any acknowledged update. A task that
   * is STAGING for the agent and in neither list becomes TASK_LOST.
   */
  unacknowledged: () => { tasks: TaskInfo[]; updates: { status: TaskStatus }[] };
  /** Receives every event except HEARTBEAT, in order. After SHUTDOWN, end the tasks and exit within the grace period. */
  onEvent: (event: ExecutorEvent) => void;
  /** Connects to the agent, unless that listens on a Unix socket. Default: plain text. */
  transport?: Transport | undefined;
  /** Returns a token that the agent may accept after it refused this one; undefined if there is none. */
  renewToken?: (token: string) => string | undefined;
  /** Called when the subscription has ended or an attempt failed. A new attempt or `onGaveUp` follows. */
  onDisconnected: (reason: string) => void;
  /** Called when the session has ended: without checkpointing, or after the recovery timeout. */
  onGaveUp: (reason: string) => void;
  /** Random numbers in [0, 1) for the wait between attempts. Default: Math.random. */
  random?: () => number;
  timer?: Timer;
}

export interface ExecutorSession {
  /** Subscribes, and subscribes again after every disconnect until `stop` or `onGaveUp`. */
  start(): void;
  /**
   * Sends a call after all earlier calls, and adds the ids of the executor and the framework. Resolves at 202.
   * @throws MesosCallError with the status of a refusal; without a status if there was no answer or the session is not
   *   subscribed. A refused update stays unacknowledged and is part of the next SUBSCRIBE.
   */
  call(call: Exclude<ExecutorCall, { type: 'SUBSCRIBE' }>): Promise<void>;
  /** Ends the subscription and all pending calls. */
  stop(): Promise<void>;
}

/** One connection to the agent, starting with the attempt. */
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
  readonly #transport: Transport | undefined;
  #token: string | undefined;
  #running = false;
  #connection: Connection | undefined;
  #cancelRetry: () => void = () => {};
  /** Set between a disconnect (or the start) and SUBSCRIBED. */
  #cancelGivingUp: (() => void) | undefined;

  constructor(options: ExecutorSessionOptions) {
    const { agentEndpoint, authenticationToken, domainSocket } = options.environment;
    this.#transport = domainSocket === undefined ? options.transport : undefined;
    this.#token = authenticationToken;
    this.#options = options;
    this.#timer = options.timer ?? systemTimer;
    this.#url = new URL(`${this.#transport?.scheme ?? 'http'}://${agentEndpoint}/api/v1/executor`);
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
        // The agent recognizes a repeated update by its uuid.
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
      headers: this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` },
      ...(domainSocket !== undefined && { socketPath: domainSocket }),
      transport: this.#transport,
    };
  }

  #ids() {
    const { executorId, frameworkId } = this.#options.environment;
    return { executor_id: { value: executorId }, framework_id: { value: frameworkId } };
  }

  #connect(): void {
    const { tasks, updates } = this.#options.unacknowledged();
    const connection: Connection = {
      calls: openCallConnection(this.#timer, this.#transport),
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
        onClosed: (reason, status) => {
          if (status === 401 && this.#token !== undefined)
            this.#token = this.#options.renewToken?.(this.#token) ?? this.#token;
          this.#lost(reason);
        },
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
      this.#giveUp(
        `${reason}; the framework does not checkpoint, so the agent will not reconnect to this executor`,
      );
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
      this.#giveUp(`the agent did not return within its recovery timeout of ${recoveryTimeoutMs / 1000} s`),
    );
  }

  #giveUp(reason: string): void {
    void this.stop();
    this.#options.onGaveUp(reason);
  }
}
