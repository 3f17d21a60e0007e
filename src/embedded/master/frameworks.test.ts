import { describe, expect, it } from 'vitest';
import { FakeMaster, frameworkInfo, MASTER_ID, taskInfo } from '../../../test/embedded/fake-master.ts';
import { handleDisconnect } from './frameworks.ts';

const ID = `${MASTER_ID}-0000`;
const first = <T>(list: readonly T[]): T => {
  expect(list).not.toHaveLength(0);
  return list[0] as T;
};

describe('SUBSCRIBE', () => {
  it('is answered with the framework id, then a heartbeat', () => {
    const scheduler = new FakeMaster().subscribe();
    expect(scheduler.events).toMatchObject([
      { type: 'SUBSCRIBED', subscribed: { framework_id: { value: ID }, heartbeat_interval_seconds: 15 } },
      { type: 'HEARTBEAT' },
    ]);
  });

  it.each([
    [{ roles: ['a', 'a'] }, "'FrameworkInfo.roles' contains duplicate items: { a }"],
    [
      { roles: ['a'], capabilities: [] },
      "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable",
    ],
    [{ failover_timeout: -1 }, 'The framework failover_timeout (-1) is invalid'],
    [{ roles: ['-x'] }, "'FrameworkInfo.roles' contains invalid role: Role '-x' is not a valid role name"],
  ])('refuses %j', (info, message) => {
    const scheduler = new FakeMaster().subscribe(info);
    expect(scheduler.events).toEqual([{ type: 'ERROR', error: { message } }]);
    expect(scheduler.closed).toBe(true);
  });

  it('with a known id takes over: the first stream ends with an error, its offers are gone', () => {
    const fake = new FakeMaster();
    fake.register('cpus:4;mem:1024');
    const before = fake.subscribe();
    const offer = first(before.offers());
    const after = fake.subscribe({ id: { value: ID } });
    expect(before.of('ERROR')).toEqual([{ type: 'ERROR', error: { message: 'Framework failed over' } }]);
    expect(before.closed).toBe(true);
    expect(fake.master.offers.has(offer.id.value)).toBe(false);
    expect(first(after.offers()).id).not.toEqual(offer.id);
  });

  it('may not change the principal, the user or checkpointing', () => {
    const fake = new FakeMaster();
    fake.subscribe({ principal: 'p' });
    const message = (info: object) => {
      const scheduler = fake.subscribe({ id: { value: ID }, principal: 'p', ...info });
      return scheduler.of('ERROR')[0]?.error.message;
    };
    expect(message({ principal: 'q' })).toBe("Changing framework's principal is not allowed.");
    expect(message({ user: 'nobody' })).toContain("from 'root' to 'nobody'");
    expect(message({ checkpoint: false })).toContain("from 'true' to 'false'");
    expect(message({ name: 'renamed' })).toBeUndefined();
  });
});

describe('a disconnected framework', () => {
  it('may come back within its failover timeout', () => {
    const fake = new FakeMaster();
    const scheduler = fake.subscribe({ failover_timeout: 60 });
    handleDisconnect(fake.master, scheduler);
    fake.clock.advance(59_999);
    fake.subscribe({ id: { value: ID }, failover_timeout: 60 });
    fake.clock.advance(60_000);
    expect(fake.master.frameworks.has(ID)).toBe(true);
  });

  it('is removed afterwards with its tasks and executors, and its id can never be used again', () => {
    const fake = new FakeMaster();
    const { agent, stream } = fake.register('cpus:4;mem:1024');
    const scheduler = fake.subscribe({ failover_timeout: 60 });
    const offer = first(scheduler.offers());
    fake.launch(scheduler, [offer], [taskInfo('t', offer, 'cpus:1')]);
    handleDisconnect(fake.master, scheduler);
    fake.clock.advance(60_000);
    expect(stream.of('SHUTDOWN_FRAMEWORK')).toEqual([{ type: 'SHUTDOWN_FRAMEWORK', framework_id: ID }]);
    expect(agent.available.scalars.get('cpus')).toBe(4000);
    const again = fake.subscribe({ id: { value: ID } });
    expect(again.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
  });

  it('is removed at once with the default timeout of 0', () => {
    const fake = new FakeMaster();
    const scheduler = fake.subscribe({ failover_timeout: 0 });
    handleDisconnect(fake.master, scheduler);
    fake.clock.settle();
    expect(fake.master.completedFrameworks.has(ID)).toBe(true);
  });

  it('is not removed early if its timeout exceeds the maximum of a timer', () => {
    const fake = new FakeMaster();
    const scheduler = fake.subscribe({ failover_timeout: 10_000_000 });
    handleDisconnect(fake.master, scheduler);
    fake.clock.advance(9_999_999_000);
    expect(fake.master.frameworks.has(ID)).toBe(true);
    fake.clock.advance(1000);
    expect(fake.master.frameworks.has(ID)).toBe(false);
  });

  it('is not disconnected by the end of its previous stream', () => {
    const fake = new FakeMaster();
    const before = fake.subscribe({ failover_timeout: 0 });
    fake.subscribe({ id: { value: ID }, failover_timeout: 0 });
    handleDisconnect(fake.master, before);
    fake.clock.settle();
    expect(fake.master.frameworks.has(ID)).toBe(true);
  });
});

describe('TEARDOWN and UPDATE_FRAMEWORK', () => {
  it('TEARDOWN ends the framework and its stream', () => {
    const fake = new FakeMaster();
    const scheduler = fake.subscribe();
    fake.call(scheduler, 'TEARDOWN');
    expect(scheduler.closed).toBe(true);
    expect(fake.master.completedFrameworks.has(ID)).toBe(true);
  });

  it('UPDATE_FRAMEWORK rescinds offers for a dropped role, and informs the agents', () => {
    const fake = new FakeMaster();
    const { stream } = fake.register('cpus:4;mem:1024');
    const scheduler = fake.subscribe({ roles: ['dev'] });
    const offer = first(scheduler.offers());
    const info = frameworkInfo({ id: { value: ID }, roles: ['prod'] });
    fake.call(scheduler, 'UPDATE_FRAMEWORK', { update_framework: { framework_info: info } });
    expect(scheduler.of('RESCIND')).toEqual([{ type: 'RESCIND', rescind: { offer_id: offer.id } }]);
    expect(first(scheduler.offers()).allocation_info).toEqual({ role: 'prod' });
    expect(first(stream.of('UPDATE_FRAMEWORK')).framework.roles).toEqual(['prod']);
  });
});
