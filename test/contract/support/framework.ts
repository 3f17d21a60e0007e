/** A framework as the contract cases need it: one subscription, events to be awaited, calls sent as they are. */

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
/** How long an event is waited for; longer than anything Mesos does on its own. */
const PATIENCE_MS = 40_000;
/** As many seconds as no test lasts. */
const NEVER = 3600;

export type Update = Extract<SchedulerEvent, { type: 'UPDATE' }>['update']['status'];

export interface FrameworkOptions {
  info?: Partial<FrameworkInfo>;
  /** Acknowledge every update as it comes; true by default. */
  acknowledge?: boolean;
  /** `asked`: only those that `offer` asks for, the default; `all`: not suppressed, and none is declined. */
  offers?: 'asked' | 'all';
}

/** A name no other test has. */
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

/** Subscribed; torn down, with all its tasks, at the end of `await using`. */
export class TestFramework implements AsyncDisposable {
  readonly info: FrameworkInfo;
  /** Everything that came, heartbeats too, with the time it came at (milliseconds). */
  readonly log: { at: number; event: SchedulerEvent }[] = [];
  streamId = '';
  /** Why the subscription ended; undefined while it lasts. */
  ended: string | undefined;
  readonly #acknowledge: boolean;
  readonly #taken = new Set<SchedulerEvent>();
  readonly #waiting = new Set<() => void>();
  /** Offers that nobody asked for are given back, or tests of other frameworks would wait for them. */
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
    for (const look of [...this.#waiting]) look();
  }

  /** The first event not yet taken that `match` likes, from the past or the future. */
  until<E extends SchedulerEvent>(what: string, match: (event: SchedulerEvent) => event is E): Promise<E> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`${what}: not seen in ${PATIENCE_MS / 1000} s; ${this.#history()}`));
      }, PATIENCE_MS);
      const look = () => {
        for (const { event } of this.log) {
          if (this.#taken.has(event) || !match(event)) continue;
          this.#taken.add(event);
          this.#waiting.delete(look);
          clearTimeout(deadline);
          resolve(event);
          return;
        }
      };
      this.#waiting.add(look);
      look();
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

  /** The next update of a task, of a certain state where one is given. */
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

  /** The next update that says the task is well, or not. */
  async health(taskId: string, healthy: boolean): Promise<TaskStatus> {
    for (;;) {
      const status = await this.update(taskId, 'TASK_RUNNING');
      if (status.healthy === healthy) return status;
    }
  }

  /** Every state seen of a task, in order. */
  states(taskId: string): TaskState[] {
    return this.log.flatMap(({ event }) =>
      event.type === 'UPDATE' && event.update.status.task_id.value === taskId
        ? [event.update.status.state]
        : [],
    );
  }

  /** Sends a call with the framework's and the stream's id; the answer is the test's to judge. */
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

  /** Sends a call that must be taken. */
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
   * Asks for an offer and takes the first that is large enough, from the agent where one is named. Others are given
   * back at once, so that frameworks of other tests get them.
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

  /** Gives an offer back. */
  async decline(offer: Offer, refuse_seconds = NEVER): Promise<void> {
    await this.call({ type: 'DECLINE', decline: { offer_ids: [offer.id], filters: { refuse_seconds } } });
  }

  /** Launches tasks on an offer; what is left of it is not wanted. */
  async accept(offer: Offer, tasks: TaskInfo[], filters = { refuse_seconds: NEVER }): Promise<void> {
    const operations: OfferOperation[] = [{ type: 'LAUNCH', launch: { task_infos: tasks } }];
    await this.call({ type: 'ACCEPT', accept: { offer_ids: [offer.id], operations, filters } });
  }

  /** Gets an offer and launches on it what `make` makes of it. */
  async launch(make: (offer: Offer) => TaskInfo | TaskInfo[], agentId?: string): Promise<Offer> {
    const offer = await this.offer(agentId === undefined ? {} : { agentId });
    await this.accept(offer, [make(offer)].flat());
    return offer;
  }

  /** Leaves without a word, as a scheduler does that is killed. */
  disconnect(): void {
    this.#subscription?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.post({ type: 'TEARDOWN' });
    this.disconnect();
  }
}
