/**
 * A framework's session with the leading master: subscribed, or on the way to being so again. It keeps no state
 * of the framework's own; what it delivers and sends is decided elsewhere.
 */

import {
  basicAuthorization,
  type CallConnection,
  type Credential,
  MesosCallError,
  messageOf,
  openCallConnection,
} from './http.ts';
import { backoffMs, LONGEST_BACKOFF_MS, systemTimer, type Timer } from './retry.ts';
import { openSubscription, type Subscription } from './subscription.ts';
import type { FrameworkInfo, OfferConstraints, SchedulerCall, SchedulerEvent } from './types.ts';

export { type Credential, MesosCallError } from './http.ts';

/** Heartbeats that may be missing before the connection is taken for dead. */
const MISSED_HEARTBEATS = 5;
/** Where SUBSCRIBED names no interval. */
const HEARTBEAT_SECONDS = 15;
/** From an attempt's beginning to SUBSCRIBED; a host that is down may never answer. */
const SUBSCRIBE_TIMEOUT_MS = 15_000;

/** The master's words when a framework id is dead for ever. */
export const FRAMEWORK_REMOVED = 'Framework has been removed';
/** The master's words when somebody else has subscribed with the same framework id. */
export const FRAMEWORK_FAILED_OVER = 'Framework failed over';

export interface SchedulerSessionOptions {
  /** Finds the leading master, as `host:port`; asked again before each attempt to subscribe. See leader.ts. */
  detect: () => Promise<string>;
  /** Read anew at each SUBSCRIBE, so that it carries the framework id once there is one. */
  framework: () => FrameworkInfo;
  /** Roles without wish for offers, restated at each SUBSCRIBE. */
  suppressedRoles: () => string[];
  /** Restated at each SUBSCRIBE; a master that has none such is not to be told. */
  offerConstraints?: () => OfferConstraints | undefined;
  /** For HTTP basic authentication; the principal must equal `FrameworkInfo.principal`. */
  credential?: Credential;
  /**
   * Every event but HEARTBEAT, in order. `SUBSCRIBED` is where to store a new framework id before anything is
   * launched, and to reconcile. `ERROR` with FRAMEWORK_REMOVED ends the session for good; any other is followed
   * by a new attempt.
   */
  onEvent: (event: SchedulerEvent) => void;
  /** The subscription is gone, or an attempt failed; offers are void. A new attempt follows by itself. */
  onDisconnected: (reason: string) => void;
  /** Randomness for the jitter, in [0, 1). Math.random by default. */
  random?: () => number;
  timer?: Timer;
}

export interface SchedulerSession {
  /** Subscribes, and keeps subscribing after every disconnect until `stop` or FRAMEWORK_REMOVED. */
  start(): void;
  /**
   * Sends a call after all calls made before it, with `framework_id` filled in. Resolves at the master's 202 (200
   * for UPDATE_FRAMEWORK), which says that the call was taken, not that it did anything. An ACKNOWLEDGE belongs
   * here only after the caller has stored the update.
   * @throws MesosCallError with the status of a refusal; without one where nothing was answered or the session is
   *   not subscribed. Calls are never repeated: what got lost shows in the reconciliation after SUBSCRIBED.
   */
  call(call: Exclude<SchedulerCall, { type: 'SUBSCRIBE' }>): Promise<void>;
  /** Ends the subscription and all calls under way. The master then counts down `failover_timeout`. */
  stop(): Promise<void>;
}

/** One connection to a master, from the attempt on. */
interface Connection {
  subscription: Subscription;
  calls: CallConnection;
  /** Where calls go, once the master has answered. */
  url: URL | undefined;
  streamId: string | undefined;
  subscribed: boolean;
  cancelWatchdog: () => void;
}

export function createSchedulerSession(options: SchedulerSessionOptions): SchedulerSession {
  return new Session(options);
}

class Session implements SchedulerSession {
  readonly #options: SchedulerSessionOptions;
  readonly #timer: Timer;
  readonly #headers: Readonly<Record<string, string>>;
  #running = false;
  /** Counts starts and attempts, so that what an abandoned attempt still does is ignored. */
  #generation = 0;
  #attempt = 0;
  #connection: Connection | undefined;
  #cancelRetry: () => void = () => {};
  #frameworkId: string | undefined;
  #heartbeatMs = HEARTBEAT_SECONDS * 1000;

  constructor(options: SchedulerSessionOptions) {
    this.#options = options;
    this.#timer = options.timer ?? systemTimer;
    this.#headers = options.credential ? { Authorization: basicAuthorization(options.credential) } : {};
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#attempt = 0;
    void this.#connect();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelRetry();
    this.#connection?.calls.close();
    this.#drop();
  }

  async call(call: Exclude<SchedulerCall, { type: 'SUBSCRIBE' }>): Promise<void> {
    const connection = this.#connection;
    if (!connection?.subscribed || !connection.url) {
      throw new MesosCallError(`${call.type} was not sent: the framework is not subscribed to a master`);
    }
    try {
      await connection.calls.send({
        url: connection.url,
        headers: {
          ...this.#headers,
          ...(connection.streamId !== undefined && { 'Mesos-Stream-Id': connection.streamId }),
        },
        body: JSON.stringify({ ...call, framework_id: { value: this.#frameworkId } }),
      });
    } catch (error) {
      if (this.#connection === connection && meansUnsubscribed(error)) {
        this.#lost(`${call.type}: ${messageOf(error)}`);
      }
      throw error;
    }
  }

  async #connect(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    let master: string;
    try {
      master = await this.#options.detect();
    } catch (error) {
      if (generation === this.#generation) this.#lost(`no leading master was found: ${messageOf(error)}`);
      return;
    }
    if (generation !== this.#generation) return;
    const framework = this.#options.framework();
    const id = framework.id?.value ?? this.#frameworkId;
    const constraints = this.#options.offerConstraints?.();
    const connection: Connection = {
      calls: openCallConnection(this.#timer),
      url: undefined,
      streamId: undefined,
      subscribed: false,
      cancelWatchdog: this.#timer(SUBSCRIBE_TIMEOUT_MS, () =>
        this.#lost(`${master} did not answer SUBSCRIBE within ${SUBSCRIBE_TIMEOUT_MS / 1000} s`),
      ),
      subscription: openSubscription<SchedulerEvent>({
        url: new URL(`http://${master}/api/v1/scheduler`),
        headers: this.#headers,
        call: {
          type: 'SUBSCRIBE',
          ...(id !== undefined && { framework_id: { value: id } }),
          subscribe: {
            framework_info: id === undefined ? framework : { ...framework, id: { value: id } },
            suppressed_roles: this.#options.suppressedRoles(),
            ...(constraints && { offer_constraints: constraints }),
          },
        },
        onOpen: (url, streamId) => {
          connection.url = url;
          connection.streamId = streamId;
        },
        onEvent: (event) => this.#take(connection, event),
        onClosed: (reason) => this.#lost(reason),
      }),
    };
    this.#connection = connection;
  }

  #take(connection: Connection, event: SchedulerEvent): void {
    if (event.type === 'SUBSCRIBED') {
      connection.subscribed = true;
      this.#attempt = 0;
      this.#frameworkId = event.subscribed.framework_id.value;
      this.#heartbeatMs = (event.subscribed.heartbeat_interval_seconds ?? HEARTBEAT_SECONDS) * 1000;
    }
    if (connection.subscribed) this.#watch(connection);
    if (event.type === 'HEARTBEAT') return;
    if (event.type !== 'ERROR') {
      this.#options.onEvent(event);
      return;
    }
    // The master has closed the subscription: a call the caller makes on hearing of it is refused here already.
    this.#drop();
    const { message } = event.error;
    if (message === FRAMEWORK_REMOVED) this.#running = false;
    this.#options.onEvent(event);
    if (message !== FRAMEWORK_REMOVED)
      this.#lost(message, message === FRAMEWORK_FAILED_OVER ? LONGEST_BACKOFF_MS : undefined);
  }

  /** Anything from the master shows that it lives. */
  #watch(connection: Connection): void {
    connection.cancelWatchdog();
    connection.cancelWatchdog = this.#timer(MISSED_HEARTBEATS * this.#heartbeatMs, () =>
      this.#lost(`nothing was heard from the master for ${MISSED_HEARTBEATS} heartbeats`),
    );
  }

  #drop(): void {
    this.#generation += 1;
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    connection.cancelWatchdog();
    connection.subscription.close();
    connection.calls.end();
  }

  /** Two schedulers that share an id by mistake would evict each other; `waitMs` keeps that slow. */
  #lost(reason: string, waitMs = backoffMs(this.#attempt, (this.#options.random ?? Math.random)())): void {
    this.#drop();
    if (!this.#running) return;
    this.#attempt += 1;
    this.#cancelRetry();
    this.#cancelRetry = this.#timer(waitMs, () => void this.#connect());
    this.#options.onDisconnected(reason);
  }
}

/** Answers after which only a new subscription helps, and calls that got none. */
function meansUnsubscribed(error: unknown): boolean {
  if (!(error instanceof MesosCallError)) return true;
  const { status, message } = error;
  if (status === undefined) return true;
  // What somebody may not do, he may not do after subscribing anew.
  if (status === 403) return !/Not authorized/.test(message);
  return status === 400 && /Framework cannot be found|stream ID|Mesos-Stream-Id/.test(message);
}
