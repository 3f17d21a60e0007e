import { describe, expect, it } from 'vitest';
import { executorInfo, FakeMaster, taskInfo } from '../../../test/embedded/fake-master.ts';
import { runAllocation } from './offers.ts';
import { handleAgentUpdate, handleExitedExecutor } from './tasks.ts';

const first = <T>(list: readonly T[]): T => {
  expect(list).not.toHaveLength(0);
  return list[0] as T;
};

/** Advances the clock, with the allocations of each interval. */
function pass(fake: FakeMaster, ms: number): void {
  for (let t = 0; t < ms; t += 1000) {
    fake.clock.advance(1000);
    runAllocation(fake.master);
  }
}

describe('offers', () => {
  it("come as soon as an agent registers, in three decimals and for the framework's role", () => {
    const fake = new FakeMaster();
    const scheduler = fake.subscribe({ roles: ['dev'] });
    fake.register('cpus:1.2345;mem:100;ports:[5-6]');
    expect(scheduler.offers()).toMatchObject([
      {
        hostname: 'host',
        allocation_info: { role: 'dev' },
        resources: [
          { name: 'ports', ranges: { range: [{ begin: 5, end: 6 }] }, allocation_info: { role: 'dev' } },
          { name: 'cpus', scalar: { value: 1.235 } },
          { name: 'mem', scalar: { value: 100 } },
        ],
      },
    ]);
  });

  it('are rescinded after an existing offer_timeout, and made again', () => {
    const fake = new FakeMaster();
    fake.master.settings.offerTimeoutMs = 5000;
    const scheduler = fake.subscribe();
    fake.register('cpus:4');
    const { id } = first(scheduler.offers());
    fake.clock.advance(4999);
    expect(scheduler.of('RESCIND')).toEqual([]);
    fake.clock.advance(1);
    expect(scheduler.of('RESCIND')).toMatchObject([{ rescind: { offer_id: id } }]);
    runAllocation(fake.master);
    expect(scheduler.offers()).toHaveLength(1);
  });

  it('leave out suppressed roles until they are revived', () => {
    const fake = new FakeMaster();
    fake.register('cpus:4');
    const scheduler = fake.subscribe({}, ['*']);
    pass(fake, 3000);
    expect(scheduler.offers()).toEqual([]);
    fake.call(scheduler, 'REVIVE');
    const offer = first(scheduler.offers());
    fake.call(scheduler, 'SUPPRESS');
    fake.call(scheduler, 'DECLINE', { decline: { offer_ids: [offer.id], filters: { refuse_seconds: 0 } } });
    pass(fake, 3000);
    expect(scheduler.offers()).toEqual([]);
  });

  it.each([
    [undefined, 5000],
    [0, 1000],
    [0.2, 1000],
    [2, 2000],
  ])('declined with refuse_seconds %s come again after %i ms', (refuse_seconds, ms) => {
    const fake = new FakeMaster();
    fake.register('cpus:4');
    const scheduler = fake.subscribe();
    const offer = first(scheduler.offers());
    const filters = refuse_seconds === undefined ? {} : { filters: { refuse_seconds } };
    fake.call(scheduler, 'DECLINE', { decline: { offer_ids: [offer.id], ...filters } });
    pass(fake, ms - 1000);
    expect(scheduler.offers()).toEqual([]);
    pass(fake, 1000);
    expect(scheduler.offers()).toHaveLength(1);
  });

  it('of unused resources of an accepted offer wait 5 s by default', () => {
    const fake = new FakeMaster();
    fake.register('cpus:4');
    const scheduler = fake.subscribe();
    const offer = first(scheduler.offers());
    fake.launch(scheduler, [offer], [taskInfo('t', offer, 'cpus:1')]);
    pass(fake, 4000);
    expect(scheduler.offers()).toEqual([]);
    pass(fake, 1000);
    expect(first(scheduler.offers()).resources).toMatchObject([{ name: 'cpus', scalar: { value: 3 } }]);
  });

  it('come immediately when a task ends, since they exceed the refused resources', () => {
    const fake = new FakeMaster();
    const { agent } = fake.register('cpus:4');
    const scheduler = fake.subscribe();
    const offer = first(scheduler.offers());
    fake.launch(scheduler, [offer], [taskInfo('t', offer, 'cpus:1')]);
    const status = { task_id: { value: 't' }, state: 'TASK_FINISHED' as const, uuid: 'u' };
    handleAgentUpdate(fake.master, agent, offer.framework_id.value, status, 'TASK_FINISHED');
    fake.clock.settle();
    expect(first(scheduler.offers()).resources).toMatchObject([{ scalar: { value: 4 } }]);
  });

  it('count an executor until it has exited, and name it', () => {
    const fake = new FakeMaster();
    const { agent } = fake.register('cpus:4');
    const scheduler = fake.subscribe();
    const offer = first(scheduler.offers());
    const executor = executorInfo('e', 'cpus:0.5');
    fake.launch(scheduler, [offer], [taskInfo('t', offer, 'cpus:1', executor)], 0);
    pass(fake, 1000);
    const next = first(scheduler.offers());
    expect(next).toMatchObject({ executor_ids: [{ value: 'e' }], resources: [{ scalar: { value: 2.5 } }] });
    fake.call(scheduler, 'DECLINE', { decline: { offer_ids: [next.id] } });
    const framework_id = offer.framework_id.value;
    handleExitedExecutor(fake.master, agent, { framework_id, executor_id: 'e', status: 256 });
    fake.clock.settle();
    expect(first(scheduler.offers()).resources).toMatchObject([{ scalar: { value: 3 } }]);
    expect(scheduler.of('FAILURE')).toEqual([
      {
        type: 'FAILURE',
        failure: { agent_id: offer.agent_id, executor_id: { value: 'e' }, status: 256 },
      },
    ]);
  });

  it('share two agents between two frameworks', () => {
    const fake = new FakeMaster();
    const schedulers = [fake.subscribe({ name: 'a' }), fake.subscribe({ name: 'b' })];
    fake.register('cpus:4');
    fake.register('cpus:4');
    expect(schedulers.map((s) => s.offers().length)).toEqual([1, 1]);
  });
});

describe('ACCEPT', () => {
  it('takes several offers of one agent together', () => {
    const fake = new FakeMaster();
    const { agent, stream } = fake.register('cpus:4');
    const scheduler = fake.subscribe();
    const offer = first(scheduler.offers());
    fake.launch(scheduler, [offer], [taskInfo('small', offer, 'cpus:1')], 0);
    pass(fake, 1000);
    const rest = first(scheduler.offers());
    const framework = offer.framework_id.value;
    const ended = { task_id: { value: 'small' }, state: 'TASK_FINISHED' as const };
    handleAgentUpdate(fake.master, agent, framework, ended, 'TASK_FINISHED');
    fake.clock.settle();
    const piece = first(scheduler.offers());
    fake.launch(scheduler, [rest, piece], [taskInfo('large', offer, 'cpus:3.5')]);
    expect(stream.of('RUN_TASK').map((m) => m.task.task_id.value)).toEqual(['small', 'large']);
  });

  it('of an offer that is gone drops the tasks and frees the other offers', () => {
    const fake = new FakeMaster();
    fake.register('cpus:4');
    const scheduler = fake.subscribe();
    const offer = first(scheduler.offers());
    const stale = { ...offer, id: { value: 'gone' } };
    fake.launch(scheduler, [offer, stale], [taskInfo('t', offer, 'cpus:1')]);
    expect(scheduler.updates()).toMatchObject([
      {
        state: 'TASK_DROPPED',
        reason: 'REASON_INVALID_OFFERS',
        message: 'Task launched with invalid offers: Offer gone is no longer valid',
      },
    ]);
    pass(fake, 1000);
    expect(scheduler.offers()).toHaveLength(1);
  });

  it('sends TASK_LOST to a framework that is not partition-aware', () => {
    const fake = new FakeMaster();
    fake.register('cpus:4');
    const scheduler = fake.subscribe({ capabilities: [{ type: 'MULTI_ROLE' }] });
    const offer = first(scheduler.offers());
    fake.launch(scheduler, [{ ...offer, id: { value: 'gone' } }], [taskInfo('t', offer, 'cpus:1')]);
    expect(scheduler.updates()).toMatchObject([{ state: 'TASK_LOST', reason: 'REASON_INVALID_OFFERS' }]);
  });

  it('refuses offers of another framework, of several agents and repeated ids', () => {
    const fake = new FakeMaster();
    fake.register('cpus:4');
    fake.register('cpus:4');
    const scheduler = fake.subscribe();
    const offers = scheduler.offers();
    const message = (ids: { value: string }[]) => {
      const [offer] = offers;
      if (!offer) throw new Error('no offer');
      fake.launch(
        scheduler,
        ids.map((id) => ({ ...offer, id })),
        [taskInfo('t', offer, 'cpus:1')],
      );
      return first(scheduler.updates()).message;
    };
    const [a, b] = offers.map((o) => o.id);
    if (!a || !b) throw new Error('two offers were expected');
    expect(message([a, a])).toContain('Duplicate offer');
    pass(fake, 1000);
    offers.splice(0, 1, ...scheduler.offers());
    expect(message(offers.map((o) => o.id))).toContain('must belong to one single agent');
    expect(message([])).toContain('No offers specified');
  });
});
