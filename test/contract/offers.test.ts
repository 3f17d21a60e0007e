/** Offers: allocation, filters, suppression, and unused resources after launches. */

import { describe, expect, it } from 'vitest';
import type { Offer, SchedulerEvent } from '../../src/mesos/types.ts';
import { TestFramework } from './support/framework.ts';
import { getJson, master } from './support/mesos.ts';
import { fixtureLines, shape } from './support/shapes.ts';
import { commandTask, executorInfo, executorTask, scalar } from './support/tasks.ts';

function amount(offer: Offer, name: string): number {
  return offer.resources.reduce((sum, r) => sum + (r.name === name ? (r.scalar?.value ?? 0) : 0), 0);
}

/** Launches one short task on an offer. @returns the time until the next offer of the same agent, in ms */
async function nextOfferAfter(
  framework: TestFramework,
  filters?: { refuse_seconds: number },
): Promise<number> {
  const [offer] = (await framework.event('OFFERS')).offers.offers as [Offer];
  const began = Date.now();
  const task = commandTask(offer, 'sleep 60');
  await framework.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [offer.id],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [task] } }],
      ...(filters && { filters }),
    },
  });
  await framework.event('OFFERS');
  return (framework.log.at(-1)?.at ?? 0) - began;
}

describe('an offer', () => {
  it('has the shape of the transcript', async () => {
    await using framework = await TestFramework.subscribe();
    const offer = await framework.offer();
    const real = fixtureLines<SchedulerEvent>('scheduler-events.jsonl').find(({ type }) => type === 'OFFERS');
    const [first] = real?.type === 'OFFERS' ? real.offers.offers : [];
    const optional = (path: string) => !/^(attributes|domain)/.test(path);
    expect(shape(offer).filter(optional)).toEqual(shape(first));
    expect(offer.resources.map(({ name }) => name).sort()).toEqual(['cpus', 'disk', 'mem', 'ports']);
    expect(offer.framework_id).toEqual(framework.info.id);
  });

  it('belongs to one framework at a time', async () => {
    await using holder = await TestFramework.subscribe();
    const offer = await holder.offer();
    await using other = await TestFramework.subscribe({ offers: 'all' });
    const ofThatAgent = () =>
      other.log.filter(
        ({ event }) =>
          event.type === 'OFFERS' &&
          event.offers.offers.some(({ agent_id }) => agent_id.value === offer.agent_id.value),
      );
    // The answer to this call comes after all earlier events.
    await other.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 'unknown' } }] } });
    await other.update('unknown');
    expect(ofThatAgent()).toHaveLength(0);
    await holder.decline(offer);
    await expect.poll(ofThatAgent, { timeout: 10_000 }).toHaveLength(1);
  });

  it('has the role it is allocated to', async () => {
    await using framework = await TestFramework.subscribe({ info: { roles: ['contract-a', 'contract-b'] } });
    for (const role of ['contract-b', 'contract-a']) {
      const offer = await framework.offer({ role });
      expect(new Set(offer.resources.map((r) => r.allocation_info?.role))).toEqual(new Set([role]));
      await framework.decline(offer);
    }
  });

  it('has scalars of three decimals', async () => {
    await using framework = await TestFramework.subscribe();
    const before = await framework.offer();
    const tasks = [0.1004, 0.2007].map((cpus) =>
      commandTask(before, 'sleep 60', { resources: [scalar('cpus', cpus), scalar('mem', 32)] }),
    );
    await framework.accept(before, tasks);
    for (const { task_id } of tasks) await framework.update(task_id.value, 'TASK_RUNNING');
    const { frameworks } = await getJson<{ frameworks: { id: string; used_resources: { cpus: number } }[] }>(
      master,
      '/state',
    );
    // The agent gives a command executor an additional 0.1 CPU, which the master does not count.
    const used = frameworks.find(({ id }) => id === framework.id)?.used_resources.cpus;
    expect(used).toBe(0.301);
    const after = await framework.offer({ agentId: before.agent_id.value });
    expect(amount(after, 'cpus')).toBe(Number((amount(before, 'cpus') - 0.301).toFixed(3)));
  });
});

describe('unused resources of an accepted offer', () => {
  it('has a filter of 5 s by default', async () => {
    await using framework = await TestFramework.subscribe({ offers: 'all' });
    expect(await nextOfferAfter(framework)).toBeGreaterThanOrEqual(4900);
  });

  it('are offered at the next allocation with refuse_seconds 0', async () => {
    await using framework = await TestFramework.subscribe({ offers: 'all' });
    expect(await nextOfferAfter(framework, { refuse_seconds: 0 })).toBeLessThan(4000);
  });
});

describe('a declined offer', () => {
  it('has a filter of 5 s by default', async () => {
    await using framework = await TestFramework.subscribe({ offers: 'all' });
    const { offers } = (await framework.event('OFFERS')).offers;
    const began = Date.now();
    await framework.call({ type: 'DECLINE', decline: { offer_ids: offers.map(({ id }) => id) } });
    await framework.event('OFFERS');
    expect((framework.log.at(-1)?.at ?? 0) - began).toBeGreaterThanOrEqual(4900);
  });

  it('is made again immediately after REVIVE, regardless of its filter', async () => {
    await using framework = await TestFramework.subscribe({ offers: 'all' });
    const { offers } = (await framework.event('OFFERS')).offers;
    for (const offer of offers) await framework.decline(offer, 3600);
    await framework.call({ type: 'REVIVE' });
    const again = (await framework.event('OFFERS')).offers.offers;
    expect(again.map((offer) => offer.agent_id)).toEqual(offers.map((offer) => offer.agent_id));
    expect(again.map((offer) => offer.id)).not.toEqual(offers.map((offer) => offer.id));
  });

  it('goes to another framework', async () => {
    await using one = await TestFramework.subscribe({ offers: 'all' });
    const { offers } = (await one.event('OFFERS')).offers;
    await using other = await TestFramework.subscribe({ offers: 'all' });
    for (const offer of offers) await one.decline(offer, 3600);
    await other.event('OFFERS');
  });
});

describe('SUPPRESS', () => {
  it('stops offers until REVIVE', async () => {
    await using suppressed = await TestFramework.subscribe({ offers: 'all' });
    const { offers } = (await suppressed.event('OFFERS')).offers;
    await suppressed.call({ type: 'SUPPRESS' });
    for (const offer of offers) await suppressed.decline(offer, 0);
    // In the meantime another framework gets offers of two allocations.
    await using other = await TestFramework.subscribe();
    for (let n = 0; n < 2; n += 1) await other.decline(await other.offer(), 0);
    expect(suppressed.log.filter(({ event }) => event.type === 'OFFERS')).toHaveLength(1);
    await suppressed.call({ type: 'REVIVE' });
    await suppressed.event('OFFERS');
  });

  it('in SUBSCRIBE takes effect from the start', async () => {
    await using suppressed = await TestFramework.subscribe();
    await using other = await TestFramework.subscribe();
    for (let n = 0; n < 2; n += 1) await other.decline(await other.offer(), 0);
    expect(suppressed.log.filter(({ event }) => event.type === 'OFFERS')).toHaveLength(0);
  });
});

describe('an executor in offers', () => {
  it('is listed only for its framework, and keeps its resources when idle', async () => {
    await using framework = await TestFramework.subscribe();
    const executor = executorInfo('idle');
    let taskId = '';
    const before = await framework.launch((offer) => {
      const task = executorTask(offer, {}, { executor });
      taskId = task.task_id.value;
      return task;
    });
    expect(before.executor_ids ?? []).toEqual([]);
    await framework.update(taskId, 'TASK_RUNNING');
    const agentId = before.agent_id.value;

    const busy = await framework.offer({ agentId });
    expect(busy.executor_ids).toEqual([{ value: 'idle' }]);
    expect(amount(busy, 'cpus')).toBeCloseTo(amount(before, 'cpus') - 0.2, 6);
    await framework.decline(busy);

    await framework.call({ type: 'KILL', kill: { task_id: { value: taskId } } });
    await framework.update(taskId, 'TASK_KILLED');
    const idle = await framework.offer({ agentId });
    expect(idle.executor_ids).toEqual([{ value: 'idle' }]);
    expect(amount(idle, 'cpus')).toBeCloseTo(amount(before, 'cpus') - 0.1, 6);
    await framework.decline(idle);

    await using other = await TestFramework.subscribe();
    const theirs = await other.offer({ agentId });
    expect(theirs.executor_ids ?? []).toEqual([]);
    await other.decline(theirs);
  });
});
