/** The sessions of src/mesos against a running master and agent. */

import { describe, expect, it } from 'vitest';
import { detectFromList } from '../../src/mesos/leader.ts';
import { LONGEST_BACKOFF_MS, systemTimer, type Timer } from '../../src/mesos/retry.ts';
import {
  createSchedulerSession,
  FRAMEWORK_FAILED_OVER,
  FRAMEWORK_REMOVED,
  type SchedulerSession,
} from '../../src/mesos/scheduler-session.ts';
import type { FrameworkInfo, SchedulerEvent, TaskStatus } from '../../src/mesos/types.ts';
import { Inbox } from '../support/inbox.ts';
import { frameworkInfo, SCHEDULER_PATH, unique } from './support/framework.ts';
import { getJson, master, post, restart, skipUnlessRestartable } from './support/mesos.ts';
import { commandTask } from './support/tasks.ts';

/** A minimal scheduler: it acknowledges updates and stores the framework id. */
class SmallScheduler implements AsyncDisposable {
  readonly info: FrameworkInfo = frameworkInfo();
  readonly subscriptions = new Inbox<Extract<SchedulerEvent, { type: 'SUBSCRIBED' }>>();
  readonly offers = new Inbox<Extract<SchedulerEvent, { type: 'OFFERS' }>>();
  readonly updates = new Inbox<TaskStatus>();
  readonly errors = new Inbox<string>();
  readonly disconnects = new Inbox<string>();
  readonly session: SchedulerSession;

  constructor(timer: Timer = systemTimer) {
    this.session = createSchedulerSession({
      detect: detectFromList([master]),
      framework: () => this.info,
      suppressedRoles: () => ['*'],
      onEvent: (event) => this.#take(event),
      onDisconnected: this.disconnects.put,
      timer,
    });
    this.session.start();
  }

  #take(event: SchedulerEvent): void {
    if (event.type === 'SUBSCRIBED') {
      this.info.id = event.subscribed.framework_id;
      this.subscriptions.put(event);
    } else if (event.type === 'OFFERS') this.offers.put(event);
    else if (event.type === 'ERROR') this.errors.put(event.error.message);
    else if (event.type === 'UPDATE') {
      const { status } = event.update;
      const { uuid, agent_id, task_id } = status;
      if (uuid !== undefined && agent_id) {
        // If it is lost, the repeated update requests it again.
        this.session.call({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } }).catch(() => {});
      }
      this.updates.put(status);
    }
  }

  async launchSleep(): Promise<{ id: string; agentId: string }> {
    const id = unique('task');
    await this.session.call({ type: 'REVIVE' });
    const [offer] = (await this.offers.next()).offers.offers;
    if (!offer) throw new Error('OFFERS without an offer');
    await this.session.call({ type: 'SUPPRESS' });
    const task = commandTask(offer, 'exec sleep 600', { task_id: { value: id } });
    await this.session.call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos: [task] } }],
        filters: { refuse_seconds: 3600 },
      },
    });
    while ((await this.updates.next()).state !== 'TASK_RUNNING');
    return { id, agentId: offer.agent_id.value };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.call({ type: 'TEARDOWN' }).catch(() => {});
    await this.session.stop();
  }
}

describe('the scheduler session', () => {
  it.concurrent('subscribes, and keeps its framework id for later subscriptions', async () => {
    await using scheduler = new SmallScheduler();
    const { subscribed } = await scheduler.subscriptions.next();
    await scheduler.session.stop();
    scheduler.session.start();
    expect((await scheduler.subscriptions.next()).subscribed.framework_id).toEqual(subscribed.framework_id);
  });

  it.concurrent('is kept alive by heartbeats', async ({ expect }) => {
    const { heartbeat_interval_seconds: seconds = 15 } = await (async () => {
      await using probe = new SmallScheduler();
      return (await probe.subscriptions.next()).subscribed;
    })();
    // Shortens the five intervals to one and a third: still enough for a master that sends heartbeats.
    let watched = 0;
    await using scheduler = new SmallScheduler((ms, run) => {
      if (ms !== seconds * 5000) return systemTimer(ms, run);
      watched += 1;
      return systemTimer((seconds * 4000) / 3, run);
    });
    await scheduler.subscriptions.next();
    await expect.poll(() => watched, { timeout: seconds * 3000 }).toBeGreaterThanOrEqual(3);
    expect(scheduler.disconnects.unread).toEqual([]);
  });

  it.concurrent('ends permanently if the framework was removed', async () => {
    await using scheduler = new SmallScheduler();
    await scheduler.subscriptions.next();
    await scheduler.session.call({ type: 'TEARDOWN' });
    expect(await scheduler.disconnects.next()).toBeDefined();
    expect(await scheduler.errors.next()).toBe(FRAMEWORK_REMOVED);
    await expect(scheduler.session.call({ type: 'REVIVE' })).rejects.toThrow('not subscribed');
  });

  it.concurrent('subscribes again after another scheduler took the framework over and disconnected', async () => {
    // Skips the long wait that prevents two schedulers from evicting each other.
    await using scheduler = new SmallScheduler((ms, run) =>
      systemTimer(ms === LONGEST_BACKOFF_MS ? 1000 : ms, run),
    );
    await scheduler.subscriptions.next();
    const taken = post(master, SCHEDULER_PATH, {
      type: 'SUBSCRIBE',
      framework_id: scheduler.info.id,
      subscribe: { framework_info: scheduler.info },
    });
    expect(await scheduler.errors.next()).toBe(FRAMEWORK_FAILED_OVER);
    await scheduler.subscriptions.next();
    // The other scheduler's stream ended in the same way.
    expect((await taken).text).toContain(FRAMEWORK_FAILED_OVER);
  });

  it.concurrent('has its calls performed in order', async () => {
    await using scheduler = new SmallScheduler();
    await scheduler.subscriptions.next();
    const ids = Array.from({ length: 50 }, (_, n) => `unknown-${n}`);
    const calls = ids.map((value) =>
      scheduler.session.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value } }] } }),
    );
    await Promise.all(calls);
    for (const id of ids) expect((await scheduler.updates.next()).task_id.value).toBe(id);
  });
});

describe('a restart of the master', () => {
  it('is followed by a new subscription with the same id, and both reconciliations find the task', async (context) => {
    skipUnlessRestartable('master', context);
    await using scheduler = new SmallScheduler();
    const { subscribed } = await scheduler.subscriptions.next();
    const { id, agentId } = await scheduler.launchSleep();
    await restart('master');
    await scheduler.disconnects.next();
    expect((await scheduler.subscriptions.next()).subscribed.framework_id).toEqual(subscribed.framework_id);

    // The master sends nothing until the agent has returned, so this repeats until there is an answer. The agent may
    // also repeat an update whose acknowledgement was lost with the old master.
    const explicit = async () => {
      const tasks = [{ task_id: { value: id }, agent_id: { value: agentId } }];
      await scheduler.session.call({ type: 'RECONCILE', reconcile: { tasks } });
      return scheduler.updates.unread.find(
        (status) => status.task_id.value === id && status.reason === 'REASON_RECONCILIATION',
      );
    };
    await expect.poll(explicit, { timeout: 40_000, interval: 250 }).toMatchObject({
      state: 'TASK_RUNNING',
      reason: 'REASON_RECONCILIATION',
      agent_id: { value: agentId },
    });
    const before = scheduler.updates.unread.length;
    await scheduler.session.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    await expect.poll(() => scheduler.updates.unread.length, { timeout: 10_000 }).toBeGreaterThan(before);
    expect(scheduler.updates.unread.every(({ state }) => state === 'TASK_RUNNING')).toBe(true);

    const { slaves } = await getJson<{ slaves: { id: string }[] }>(master, '/slaves');
    expect(slaves.map((agent) => agent.id)).toContain(agentId);
    await scheduler.session.call({ type: 'KILL', kill: { task_id: { value: id } } });
    for (;;) {
      const { state } = await scheduler.updates.next();
      if (state === 'TASK_KILLED') break;
    }
  });
});
