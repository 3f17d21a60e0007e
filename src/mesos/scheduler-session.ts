/**
 * A framework's session with the leading master. Keeps the framework subscribed and reconnects by itself. It has no
 * state of the framework; the caller decides about events and calls.
 */

import type { Transport } from '../tls/connect.ts';
import {
  basicAuthorizations,
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

/** Missed heartbeats after which the connection counts as dead. */
const MISSED_HEARTBEATS = 5;
/** Default if SUBSCRIBED has no interval. */
const HEARTBEAT_SECONDS = 15;
/** Time limit from an attempt's start to SUBSCRIBED; a host that is down may never answer. */
const SUBSCRIBE_TIMEOUT_MS = 15_000;

/** Mesos' text for a framework id that can never be used again. */
export const FRAMEWORK_REMOVED = 'Framework has been removed';
/** Mesos' text when another scheduler has subscribed with the same framework id. */
export const FRAMEWORK_FAILED_OVER = 'Framework failed over';

export interface SchedulerSessionOptions {
  /** Finds the leading master, as `host:port`; called before each attempt to subscribe. See leader.ts. */
  detect: () => Promise<string>;
  /** Called at each SUBSCRIBE, so that it contains the framework id once it exists. */
  framework: () => FrameworkInfo;
  /** Roles that want no offers, sent with each SUBSCRIBE. */
  suppressedRoles: () => string[];
  /** Sent with each SUBSCRIBE. Undefined for a master that does not support offer constraints. */
  offerConstraints?: () => OfferConstraints | undefined;
  /** Connects to the masters. Default: plain text. */
  transport?: Transport | undefined;
  /** For HTTP basic authentication; the principal must equal `FrameworkInfo.principal`. */
  credential?: Credential;
  /**
   * Receives every event except HEARTBEAT, in order. At `SUBSCRIBED`, store a new framework id before any launch, and
   * reconcile. `ERROR` with FRAMEWORK_REMOVED ends the session permanently; a new attempt follows any other error.
   */
  onEvent: (event: SchedulerEvent) => void;
  /** Called when the subscription has ended or an attempt failed. Offers are invalid then. A new attempt follows. */
  onDisconnected: (reason: string) => void;
  /** Random numbers in [0, 1) for the jitter. Default: Math.random. */
  random?: () => number;
  timer?: Timer;
}

export interface SchedulerSession {
  /** Subscribes, and subscribes again after every disconnect until `stop` or FRAMEWORK_REMOVED. */
  start(): void;
  /**
   * Sends a call after all earlier calls, and adds `framework_id`. Resolves at the master's 202 (200 for
   * UPDATE_FRAMEWORK), which confirms the receipt, not an effect. Send ACKNOWLEDGE only after the update is stored.
   * @throws MesosCallError with the status of a refusal; without a status if there was no answer or the session is not
   *   subscribed. Calls are never repeated: reconciliation after SUBSCRIBED reveals lost calls.
   */
  call(call: Exclude<SchedulerCall, { type: 'SUBSCRIBE' }>): Promise<void>;
  /** Ends the subscription and all pending calls. The master then starts the `failover_timeout`. */
  stop(): Promise<void>;
}

/** One connection to a master, starting with the attempt. */
interface Connection {
  /** With the credentials. */
  headers: Readonly<Record<string, string>>;
  subscription: Subscription;
  calls: CallConnection;
  /** The URL for calls; set when the master has answered. */
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
  /** One for each secret of the principal. */
  readonly #authorizations: readonly string[];
  /** Number of answers that refused the secret. The next attempt takes the next secret. */
  #refusals = 0;
  #running = false;
  /** Counts starts and attempts, so that results of an abandoned attempt are ignored. */
  #generation = 0;
  #attempt = 0;
  #connection: Connection | undefined;
  #cancelRetry: () => void = () => {};
  #frameworkId: string | undefined;
  #heartbeatMs = HEARTBEAT_SECONDS * 1000;

  constructor(options: SchedulerSessionOptions) {
    this.#options = options;
    this.#timer = options.timer ?? systemTimer;
    this.#authorizations = options.credential ? basicAuthorizations(options.credential) : [];
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
          ...connection.headers,
          ...(connection.streamId !== undefined && { 'Mesos-Stream-Id': connection.streamId }),
        },
        body: JSON.stringify({ ...call, framework_id: { value: this.#frameworkId } }),
      });
    } catch (error) {
      if (this.#connection === connection && isUnsubscribedError(error)) {
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
    const authorization = this.#authorizations[this.#refusals % this.#authorizations.length];
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    const { transport } = this.#options;
    const connection: Connection = {
      headers,
      calls: openCallConnection(this.#timer, transport),
      url: undefined,
      streamId: undefined,
      subscribed: false,
      cancelWatchdog: this.#timer(SUBSCRIBE_TIMEOUT_MS, () =>
        this.#lost(`${master} did not answer SUBSCRIBE within ${SUBSCRIBE_TIMEOUT_MS / 1000} s`),
      ),
      subscription: openSubscription<SchedulerEvent>({
        url: new URL(`${transport?.scheme ?? 'http'}://${master}/api/v1/scheduler`),
        transport,
        headers,
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
        onClosed: (reason, status) => {
          if (status === 401) this.#refusals += 1;
          this.#lost(reason);
        },
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
    // The master has closed the subscription, so calls that the caller makes on this event must be refused.
    this.#drop();
    const { message } = event.error;
    if (message === FRAMEWORK_REMOVED) this.#running = false;
    this.#options.onEvent(event);
    if (message !== FRAMEWORK_REMOVED)
      this.#lost(message, message === FRAMEWORK_FAILED_OVER ? LONGEST_BACKOFF_MS : undefined);
  }

  /** Restarts the watchdog. Any event proves that the master is alive. */
  #watch(connection: Connection): void {
    connection.cancelWatchdog();
    connection.cancelWatchdog = this.#timer(MISSED_HEARTBEATS * this.#heartbeatMs, () =>
      this.#lost(`received nothing from the master for ${MISSED_HEARTBEATS} heartbeats`),
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

  /** @param waitMs longer for two schedulers with the same id, which evict each other */
  #lost(reason: string, waitMs = backoffMs(this.#attempt, (this.#options.random ?? Math.random)())): void {
    this.#drop();
    if (!this.#running) return;
    this.#attempt += 1;
    this.#cancelRetry();
    this.#cancelRetry = this.#timer(waitMs, () => void this.#connect());
    this.#options.onDisconnected(reason);
  }
}

/** True for answers that require a new subscription, and for calls without an answer. */
function isUnsubscribedError(error: unknown): boolean {
  if (!(error instanceof MesosCallError)) return true;
  const { status, message } = error;
  if (status === undefined) return true;
  // A new subscription does not change authorization.
  if (status === 403) return !/Not authorized/.test(message);
  return status === 400 && /Framework cannot be found|stream ID|Mesos-Stream-Id/.test(message);
}
