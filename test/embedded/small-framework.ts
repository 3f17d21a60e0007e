/** A framework that launches tasks and acknowledges all updates. Tests can wait for events. */

import { vi } from 'vitest';
import { parseResources } from '../../src/embedded/wire/resource-text.ts';
import type { Credential } from '../../src/mesos/http.ts';
import { LONGEST_BACKOFF_MS } from '../../src/mesos/retry.ts';
import { createSchedulerSession } from '../../src/mesos/scheduler-session.ts';
import type {
  ExecutorInfo,
  FrameworkInfo,
  Offer,
  SchedulerEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../src/mesos/types.ts';
import { frameworkInfo } from './fake-master.ts';

/** While no master leads, a session waits up to LONGEST_BACKOFF_MS before its next attempt. */
const TIMEOUT_MS = LONGEST_BACKOFF_MS + 15_000;

export class SmallFramework {
  readonly info: FrameworkInfo;
  readonly events: SchedulerEvent[] = [];
  #offers: Offer[] = [];
  readonly #session;

  /** @param master `host:port`, or a function that detects it */
  constructor(
    master: string | (() => Promise<string>),
    info: Partial<FrameworkInfo> = {},
    credential?: Credential,
  ) {
    this.info = frameworkInfo({ ...info, ...(credential ? { principal: credential.principal } : {}) });
    this.#session = createSchedulerSession({
      detect: typeof master === 'string' ? async () => master : master,
      ...(credential ? { credential } : {}),
      framework: () => this.info,
      suppressedRoles: () => [],
      onEvent: (event) => this.#take(event),
      onDisconnected: () => {
        this.#offers = [];
      },
    });
    this.#session.start();
  }

  #take(event: SchedulerEvent): void {
    this.events.push(event);
    if (event.type === 'SUBSCRIBED') this.info.id = event.subscribed.framework_id;
    if (event.type === 'OFFERS') this.#offers.push(...event.offers.offers);
    if (event.type === 'RESCIND') {
      this.#offers = this.#offers.filter((o) => o.id.value !== event.rescind.offer_id.value);
    }
    if (event.type !== 'UPDATE') return;
    const { task_id, agent_id, uuid } = event.update.status;
    if (uuid === undefined || agent_id === undefined) return;
    this.#session.call({ type: 'ACKNOWLEDGE', acknowledge: { task_id, agent_id, uuid } }).catch(() => {
      // Lost with its connection: the master sends the update again.
    });
  }

  /** Launches a command, or a task of an executor, on the next offer, without a filter for the unused resources. */
  async launch(
    id: string,
    what: { command: string } | { executor: ExecutorInfo },
    resources = 'cpus:0.1;mem:32',
    more: Partial<TaskInfo> = {},
  ): Promise<void> {
    const offer = await vi.waitFor(
      () => {
        const next = this.#offers.shift();
        if (!next) throw new Error('no offer came');
        return next;
      },
      { timeout: TIMEOUT_MS },
    );
    const task: TaskInfo = {
      name: id,
      task_id: { value: id },
      agent_id: offer.agent_id,
      resources: parseResources(resources),
      ...('command' in what ? { command: { value: what.command } } : { executor: what.executor }),
      ...more,
    };
    await this.#session.call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos: [task] } }],
        filters: { refuse_seconds: 0 },
      },
    });
  }

  /** Outstanding offers. */
  get offers(): readonly Offer[] {
    return this.#offers;
  }

  reconcile(id: string, agentId: string): Promise<void> {
    const task = { task_id: { value: id }, agent_id: { value: agentId } };
    return this.#session.call({ type: 'RECONCILE', reconcile: { tasks: [task] } });
  }

  statuses(id: string): TaskStatus[] {
    return this.events.flatMap((e) =>
      e.type === 'UPDATE' && e.update.status.task_id.value === id ? [e.update.status] : [],
    );
  }

  /** Waits for the given number of subscriptions since its start. */
  async subscribed(times: number): Promise<void> {
    await vi.waitFor(
      () => {
        const seen = this.events.filter((e) => e.type === 'SUBSCRIBED').length;
        if (seen < times) throw new Error(`subscribed ${seen} times, not ${times}`);
      },
      { timeout: TIMEOUT_MS, interval: 10 },
    );
  }

  /** Waits for a task's update with this state. */
  reached(id: string, state: TaskState): Promise<TaskStatus> {
    return vi.waitFor(
      () => {
        const status = this.statuses(id).find((s) => s.state === state);
        if (!status) {
          const seen = this.statuses(id).map((s) => s.state);
          throw new Error(`task ${id} is not ${state}; it was ${seen.join(', ') || 'never heard of'}`);
        }
        return status;
      },
      { timeout: TIMEOUT_MS, interval: 10 },
    );
  }

  /** @param graceMs for the kill policy. Default: the task's own */
  kill(id: string, graceMs?: number): Promise<void> {
    const policy =
      graceMs === undefined ? {} : { kill_policy: { grace_period: { nanoseconds: graceMs * 1_000_000 } } };
    return this.#session.call({ type: 'KILL', kill: { task_id: { value: id }, ...policy } });
  }

  /** Ends the framework and its tasks. */
  async end(): Promise<void> {
    await this.#session.call({ type: 'TEARDOWN' }).catch(() => {
      // The master may close the connections before its answer is read.
    });
    await this.#session.stop();
  }
}
