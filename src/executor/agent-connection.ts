/**
 * The worker's connection to the agent. Sends each update until the agent has acknowledged it. It subscribes before the
 * code for tasks is loaded (main.ts), so it keeps events until a listener is there.
 */

import type { ExecutorEnvironment } from '../mesos/executor-environment.ts';
import { createExecutorSession, type ExecutorSession } from '../mesos/executor-session.ts';
import { MesosCallError } from '../mesos/http.ts';
import type { ExecutorEvent, TaskStatus } from '../mesos/types.ts';
import type { Transport } from '../tls/connect.ts';
import type { Unacknowledged } from './domain/tasks.ts';
import type { Log } from './log.ts';

/** Wait before a refused update is sent again, in milliseconds. */
const REFUSED_MS = { first: 100, longest: 30_000 };

export interface AgentConnectionOptions {
  environment: ExecutorEnvironment;
  /** The content of SUBSCRIBE until a listener is there. */
  unacknowledged: Unacknowledged;
  /** See `ExecutorSessionOptions`. */
  renewToken?: (token: string) => string | undefined;
  /** Connects to the agent. Default: plain text. */
  transport?: Transport;
  log: Log;
}

export interface AgentListener {
  unacknowledged: () => Unacknowledged;
  onEvent: (event: ExecutorEvent) => void;
  /** Called some time after the agent has refused an update, which is then to be sent again. */
  onRefused: (taskId: string, uuid: string) => void;
  /** Called when the executor has ended for Mesos. */
  onGaveUp: (reason: string) => void;
}

export class AgentConnection {
  readonly #options: AgentConnectionOptions;
  readonly #session: ExecutorSession;
  #listener: AgentListener | undefined;
  /** What happened before the listener was there, in order. */
  readonly #early: ((listener: AgentListener) => void)[] = [];
  #subscribed = false;
  /** UUIDs of the updates in the current SUBSCRIBE. */
  #updatesInSubscribe: ReadonlySet<string | undefined> = new Set();
  #refusedInARow = 0;

  constructor(options: AgentConnectionOptions) {
    const { environment, log, renewToken, transport } = options;
    this.#options = options;
    this.#session = createExecutorSession({
      environment,
      transport,
      ...(renewToken && { renewToken }),
      unacknowledged: () => {
        const unacknowledged = this.#unacknowledged();
        this.#updatesInSubscribe = new Set(unacknowledged.updates.map((u) => u.status.uuid));
        return unacknowledged;
      },
      onEvent: (event) => {
        if (event.type === 'SUBSCRIBED') this.#subscribed = true;
        this.#tell((listener) => this.#pass(event, listener));
      },
      onDisconnected: (reason) => {
        this.#subscribed = false;
        log({ level: 'warning', msg: 'disconnected from the agent', reason });
      },
      onGaveUp: (reason) => this.#tell((listener) => listener.onGaveUp(reason)),
    });
  }

  /** Subscribes. */
  start(): void {
    this.#session.start();
  }

  /** Passes on what has happened since the start, and everything from now on. Call it once. */
  listen(listener: AgentListener): void {
    this.#listener = listener;
    for (const tell of this.#early.splice(0)) tell(listener);
  }

  async stop(): Promise<void> {
    await this.#session.stop();
  }

  /** Sends an update if subscribed; otherwise the next SUBSCRIBE contains it. */
  sendUpdate(status: TaskStatus): void {
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
        const reason = String(error);
        log({ level: 'error', msg: 'an update was not accepted', task: taskId, state, reason });
        // 403 and 503 mean that the executor is not subscribed; the session subscribes again, with this update.
        if (answered === undefined || answered === 403 || answered === 503) return;
        const wait = Math.min(REFUSED_MS.longest, REFUSED_MS.first * 2 ** this.#refusedInARow);
        this.#refusedInARow += 1;
        setTimeout(() => this.#listener?.onRefused(taskId, uuid), wait);
      },
    );
  }

  /** Sends a message to the scheduler, which asks again for what does not arrive. */
  async sendMessage(data: string): Promise<void> {
    await this.#session.call({ type: 'MESSAGE', message: { data } }).catch(() => undefined);
  }

  #unacknowledged(): Unacknowledged {
    return this.#listener?.unacknowledged() ?? this.#options.unacknowledged;
  }

  #tell(tell: (listener: AgentListener) => void): void {
    if (this.#listener) tell(this.#listener);
    else this.#early.push(tell);
  }

  #pass(event: ExecutorEvent, listener: AgentListener): void {
    listener.onEvent(event);
    if (event.type !== 'SUBSCRIBED') return;
    // Sends the updates that were made since SUBSCRIBE was written.
    for (const { status } of listener.unacknowledged().updates)
      if (!this.#updatesInSubscribe.has(status.uuid)) this.sendUpdate(status);
  }
}
