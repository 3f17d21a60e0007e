/** A framework for the contract tests: one subscription, waits for events, calls sent unchanged. */

import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { expect } from 'vitest';
import { openSubscription, type Subscription } from '../../../src/mesos/subscription.ts';
import type {
  FrameworkInfo,
  Offer,
  OfferOperation,
  SchedulerCall,
  SchedulerEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../../src/mesos/types.ts';
import { type Answer, master, post } from './mesos.ts';

export const SCHEDULER_PATH = '/api/v1/scheduler';
/** Time limit for an event; longer than any timer of Mesos. */
const EVENT_TIMEOUT_MS = 40_000;
/** Seconds; longer than any test. */
const NEVER = 3600;

export type Update = Extract<SchedulerEvent, { type: 'UPDATE' }>['update']['status'];

export interface FrameworkOptions {
  info?: Partial<FrameworkInfo>;
  /** Acknowledge every update immediately. Default: true. */
  acknowledge?: boolean;
  /** `asked` (default): only offers that `offer` requests; `all`: not suppressed, and none is declined. */
  offers?: 'asked' | 'all';
}

/** Makes a name that no other test has. */
export function unique(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

export function frameworkInfo(more: Partial<FrameworkInfo> = {}): FrameworkInfo {
  return {
    user: userInfo().username,
    name: unique('contract'),
    roles: ['*'],
    failover_timeout: 3600,
    checkpoint: true,
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }, { type: 'TASK_KILLING_STATE' }],
    ...more,
  };
}

/** A subscribed framework. `await using` tears it down with all its tasks. */
export class TestFramework implements AsyncDisposable {
  readonly info: FrameworkInfo;
  /** All events, including heartbeats, with the time of arrival in milliseconds. */
  readonly log: { at: number; event: SchedulerEvent }[] = [];
  streamId = '';
  /** The reason why the subscription ended; undefined while it is open. */
  ended: string | undefined;
  readonly #acknowledge: boolean;
  readonly #taken = new Set<SchedulerEvent>();
  readonly #waiting = new Set<() => void>();
  /** Unrequested offers are declined, since tests of other frameworks may wait for them. */
  #wantsOffers: boolean;
  #subscription: Subscription | undefined;

  private constructor(options: FrameworkOptions) {
    this.info = frameworkInfo(options.info);
    this.#acknowledge = options.acknowledge ?? true;
    this.#wantsOffers = options.offers === 'all';
  }

  static async subscribe(options: FrameworkOptions = {}): Promise<TestFramework> {
    const framework = new TestFramework(options);
    const suppressed_roles = options.offers === 'all' ? [] : framework.info.roles;
    framework.#subscription = openSubscription<SchedulerEvent>({
      url: new URL(`http://${master}${SCHEDULER_PATH}`),
      headers: {},
      call: {
        type: 'SUBSCRIBE',
        ...(framework.info.id && { framework_id: framework.info.id }),
        subscribe: { framework_info: framework.info, suppressed_roles },
      },
      onOpen: (_, streamId) => {
        framework.streamId = streamId ?? '';
      },
      onEvent: (event) => framework.#take(event),
      onClosed: (reason) => {
        framework.ended = reason;
      },
    });
    const { subscribed } = await framework.event('SUBSCRIBED');
    framework.info.id = subscribed.framework_id;
    return framework;
  }

  get id(): string {
    return this.info.id?.value ?? '';
  }

  #take(event: SchedulerEvent): void {
    this.log.push({ at: Date.now(), event });
    if (event.type === 'UPDATE' && this.#acknowledge) void this.acknowledge(event.update.status);
    if (event.type === 'OFFERS' && !this.#wantsOffers) {
      this.#taken.add(event);
      for (const offer of event.offers.offers) void this.decline(offer);
    }
    for (const check of [...this.#waiting]) check();
  }

  /** Waits for the first unread event that `match` accepts, from the past or the future. */
  until<E extends SchedulerEvent>(what: string, match: (event: SchedulerEvent) => event is E): Promise<E> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`${what}: not seen in ${EVENT_TIMEOUT_MS / 1000} s; ${this.#history()}`));
      }, EVENT_TIMEOUT_MS);
      const check = () => {
        for (const { event } of this.log) {
          if (this.#taken.has(event) || !match(event)) continue;
          this.#taken.add(event);
          this.#waiting.delete(check);
          clearTimeout(deadline);
          resolve(event);
          return;
        }
      };
      this.#waiting.add(check);
      check();
    });
  }

  #history(): string {
    const seen = this.log.map(({ event }) => JSON.stringify(event).slice(0, 400)).join('\n');
    return `${this.ended ? `the subscription ended (${this.ended})` : 'still subscribed'}; it has seen:\n${seen}`;
  }

  event<T extends SchedulerEvent['type']>(type: T): Promise<Extract<SchedulerEvent, { type: T }>> {
    return this.until(
      `an event ${type}`,
      (event): event is Extract<SchedulerEvent, { type: T }> => event.type === type,
    );
  }

  /** Waits for the next update of a task, optionally with a certain state. */
  async update(taskId: string, state?: TaskState): Promise<TaskStatus> {
    const { update } = await this.until(
      `an update of ${taskId}${state ? ` with ${state}` : ''}`,
      (event): event is Extract<SchedulerEvent, { type: 'UPDATE' }> =>
        event.type === 'UPDATE' &&
        event.update.status.task_id.value === taskId &&
        (state === undefined || event.update.status.state === state),
    );
    return update.status;
  }

  /** Waits for the next update with this health. */
  async health(taskId: string, healthy: boolean): Promise<TaskStatus> {
    for (;;) {
      const status = await this.update(taskId, 'TASK_RUNNING');
      if (status.healthy === healthy) return status;
    }
  }

  /** Lists all received states of a task, in order. */
  states(taskId: string): TaskState[] {
    return this.log.flatMap(({ event }) =>
      event.type === 'UPDATE' && event.update.status.task_id.value === taskId
        ? [event.update.status.state]
        : [],
    );
  }

  /** Sends a call with the ids of the framework and the stream, and returns any answer. */
  post(
    call: { type: string; [field: string]: unknown },
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return post(
      master,
      SCHEDULER_PATH,
      { framework_id: this.info.id, ...call },
      { 'Mesos-Stream-Id': this.streamId, ...headers },
    );
  }

  /** Sends a call that must be accepted. */
  async call(call: Exclude<SchedulerCall, { type: 'SUBSCRIBE' }>): Promise<void> {
    const { status, text } = await this.post(call);
    expect({ status, text }).toEqual({ status: call.type === 'UPDATE_FRAMEWORK' ? 200 : 202, text: '' });
  }

  async acknowledge(status: TaskStatus): Promise<void> {
    if (status.uuid === undefined || !status.agent_id) return;
    await this.post({
      type: 'ACKNOWLEDGE',
      acknowledge: { agent_id: status.agent_id, task_id: status.task_id, uuid: status.uuid },
    });
  }

  /**
   * Requests an offer and takes the first one that is large enough, optionally of a certain agent. Other offers are
   * declined immediately, so that frameworks of other tests get them.
   */
  async offer(wanted: { role?: string; agentId?: string } = {}): Promise<Offer> {
    const role = wanted.role ?? '*';
    this.#wantsOffers = true;
    await this.call({ type: 'REVIVE', revive: { roles: [role] } });
    for (;;) {
      const { offers } = (await this.event('OFFERS')).offers;
      const good = offers.find(
        (offer) =>
          offer.allocation_info?.role === role &&
          (wanted.agentId === undefined || offer.agent_id.value === wanted.agentId) &&
          offer.resources.some(({ name, scalar }) => name === 'cpus' && (scalar?.value ?? 0) >= 1),
      );
      if (good) {
        this.#wantsOffers = false;
        await this.call({ type: 'SUPPRESS', suppress: { roles: [role] } });
      }
      await Promise.all(
        offers.filter((offer) => offer !== good).map((offer) => this.decline(offer, good ? NEVER : 0.1)),
      );
      if (good) return good;
    }
  }

  /** Declines an offer. */
  async decline(offer: Offer, refuse_seconds = NEVER): Promise<void> {
    await this.call({ type: 'DECLINE', decline: { offer_ids: [offer.id], filters: { refuse_seconds } } });
  }

  /** Launches tasks on an offer, and refuses its unused resources. */
  async accept(offer: Offer, tasks: TaskInfo[], filters = { refuse_seconds: NEVER }): Promise<void> {
    const operations: OfferOperation[] = [{ type: 'LAUNCH', launch: { task_infos: tasks } }];
    await this.call({ type: 'ACCEPT', accept: { offer_ids: [offer.id], operations, filters } });
  }

  /** Gets an offer and launches the tasks that `make` creates for it. */
  async launch(make: (offer: Offer) => TaskInfo | TaskInfo[], agentId?: string): Promise<Offer> {
    const offer = await this.offer(agentId === undefined ? {} : { agentId });
    await this.accept(offer, [make(offer)].flat());
    return offer;
  }

  /** Disconnects without TEARDOWN, like a killed scheduler. */
  disconnect(): void {
    this.#subscription?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.post({ type: 'TEARDOWN' });
    this.disconnect();
  }
}
