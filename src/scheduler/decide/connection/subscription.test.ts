import { describe, expect, it } from 'vitest';
import { app, start } from '../../../../test/scheduler/fixtures.ts';
import { afterOffers, Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS, first, ids, running, since, update } from '../../../../test/scheduler/running.ts';
import { evolve } from '../../domain/evolve.ts';
import { nextTimer } from '../../domain/timers.ts';
import type { Call } from '../inputs.ts';
import { settle } from '../settle.ts';

describe('the connection', () => {
  it('stores the framework id with the first subscription', () => {
    const harness = new Harness(AGENTS);
    harness.connect();
    harness.deliverAll();
    expect(harness.disk).toEqual([{ type: 'framework_registered', frameworkId: 'framework' }]);
    harness.disconnect();
    harness.connect();
    harness.deliverAll();
    expect(harness.disk).toHaveLength(1);
  });

  it('reconciles every task, repeatedly until the master has answered for each', () => {
    const harness = running();
    harness.restart();
    harness.connect();
    harness.mesos.inbox.splice(1);
    harness.deliver();
    harness.mesos.inbox = [];
    const asked = () =>
      harness.mesos.calls.filter((call) => call.type === 'RECONCILE' && call.reconcile.tasks.length > 0)
        .length;
    const waits: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const before = asked();
      const at = harness.now;
      while (asked() === before)
        harness.pass(Math.max(1, (nextTimer(harness.state.timers) ?? 0) - harness.now));
      waits.push(harness.now - at);
      harness.mesos.inbox = [];
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    harness.mesos.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    harness.deliverAll();
    expect(harness.state.unanswered.size).toBe(0);
    const before = asked();
    harness.pass(60_000);
    harness.pass(60_000);
    expect(asked()).toBe(before);
  });

  it('periodically reconciles all tasks that the master knows', () => {
    const harness = running(1);
    const all = () =>
      harness.mesos.calls.filter((call) => call.type === 'RECONCILE' && call.reconcile.tasks.length === 0)
        .length;
    harness.pass(15_000);
    expect(all()).toBe(1);
    harness.pass(599_999);
    expect(all()).toBe(1);
    harness.pass(1);
    expect(all()).toBe(2);
  });

  it('splits the reconciliation of many tasks', () => {
    const harness = new Harness([{ id: 'S0', host: 'a', cpus: 3000, mem: 1e6, ports: 2000 }]);
    harness.input(start(app({ executor: '', instances: 1500, cpus: 0.1, mem: 1 })));
    harness.rest();
    harness.restart();
    harness.connect();
    harness.deliver();
    const sizes = harness.mesos.calls.flatMap((call) =>
      call.type === 'RECONCILE' ? [call.reconcile.tasks.length] : [],
    );
    expect(sizes).toEqual([1000, 500]);
  });

  it('kills tasks without an update since their launch', () => {
    const harness = afterOffers(AGENTS, start(app({ instances: 1 })));
    const silent = first(harness);
    harness.disconnect();
    harness.connect();
    harness.deliverAll();
    harness.pass(299_999);
    expect(harness.state.tasks.get(silent)?.killedAt).toBeUndefined();
    harness.pass(1);
    expect(harness.state.tasks.get(silent)?.killedAt).toBe(harness.now);
    harness.rest();
    expect(ids(harness)).not.toContain(silent);
    expect(harness.mesos.live()).toHaveLength(1);
  });

  it('never kills the tasks that a takeover has left, and forgets them when they end', () => {
    const harness = running();
    evolve(harness.state, { type: 'task_left', taskId: 'left' });
    const calls = harness.mesos.calls.length;
    update(harness, 'left', { uuid: 'u' });
    update(harness, 'stranger', {});
    const sent = since(harness, calls);
    expect(sent.map(({ type }) => type)).toEqual(['ACKNOWLEDGE', 'KILL']);
    expect(sent[1]).toMatchObject({ kill: { task_id: { value: 'stranger' } } });
    update(harness, 'left', { state: 'TASK_FAILED' });
    expect(harness.state.leftTasks.size).toBe(0);
  });

  it('stops the daemon if the framework was removed while tasks are recorded', () => {
    const harness = running();
    const event = { type: 'ERROR', error: { message: 'Framework has been removed' } } as const;
    harness.input({ type: 'mesos', event });
    expect(harness.lastDecision.fatal).toContain('framework, but 2 tasks');
    expect(harness.state.frameworkId).toBe('framework');
  });

  it('registers again if the framework was removed without tasks', () => {
    const harness = new Harness(AGENTS);
    harness.connect();
    harness.deliverAll();
    harness.input({
      type: 'mesos',
      event: { type: 'ERROR', error: { message: 'Framework has been removed' } },
    });
    expect(harness.lastDecision).toMatchObject({ newSession: true });
    expect(harness.state.frameworkId).toBeUndefined();
    harness.restart();
    expect(harness.state.frameworkId).toBeUndefined();
  });

  it('stops the daemon when another scheduler has taken over', () => {
    const harness = new Harness(AGENTS);
    harness.input({ type: 'mesos', event: { type: 'ERROR', error: { message: 'Framework failed over' } } });
    expect(harness.lastDecision.fatal).toContain('only one may run');
  });

  it('handles other errors as a disconnect', () => {
    const harness = running();
    harness.input({ type: 'mesos', event: { type: 'ERROR', error: { message: 'odd' } } });
    expect(harness.state).toMatchObject({
      connected: false,
      disconnectedBecause: 'the master reported an error: odd',
    });
    expect(settle(harness.state, harness.now)).toEqual({ events: [], calls: [] });
  });

  it.each([
    { type: 'HEARTBEAT' },
    { type: 'RESCIND', rescind: { offer_id: { value: 'o' } } },
    { type: 'FAILURE', failure: {} },
    { type: 'MESSAGE', message: { agent_id: { value: 'a' }, executor_id: { value: 'e' }, data: '' } },
  ] as const)('needs nothing done for $type', (event) => {
    const harness = running();
    harness.input({ type: 'mesos', event });
    expect(harness.lastDecision).toEqual({ events: [], calls: [] });
  });
});

describe('calls that fail', () => {
  const launch = (harness: Harness): Call => {
    const call = harness.mesos.calls.find(({ type }) => type === 'ACCEPT');
    if (!call) throw new Error('nothing was accepted');
    return call;
  };

  it('reconcile the tasks of a lost ACCEPT', () => {
    const harness = running();
    const known = first(harness);
    harness.mesos.tasks.delete(known);
    harness.input({ type: 'call_failed', call: launch(harness) });
    expect(harness.state.unanswered).toContain(known);
    harness.rest();
    expect(ids(harness)).not.toContain(known);
    expect(harness.mesos.live()).toHaveLength(2);
  });

  it('repeat a lost REVIVE', () => {
    const harness = new Harness(AGENTS);
    harness.connect();
    harness.deliverAll();
    harness.input(start(app()));
    harness.input({ type: 'call_failed', call: { type: 'REVIVE' } });
    const calls = harness.mesos.calls.length;
    harness.pass(1000);
    expect(since(harness, calls).map(({ type }) => type)).toEqual(['REVIVE']);
  });

  it('decline offers again, or the master would keep them reserved', () => {
    const harness = running();
    const offer_ids = [{ value: 'one' }, { value: 'two' }];
    const declined: Call = { type: 'DECLINE', decline: { offer_ids, filters: { refuse_seconds: 120 } } };
    const accept: Call = { type: 'ACCEPT', accept: { offer_ids, operations: [] } };
    for (const call of [declined, accept]) {
      harness.input({ type: 'call_failed', call });
      const calls = harness.mesos.calls.length;
      harness.pass(1000);
      expect(since(harness, calls)).toEqual([declined]);
    }
  });

  it('have no other consequences', () => {
    const harness = running();
    harness.input({ type: 'call_failed', call: { type: 'SUPPRESS' } });
    expect(harness.lastDecision.events).toEqual([]);
    harness.disconnect();
    harness.input({ type: 'call_failed', call: launch(harness) });
    expect(harness.lastDecision.events).toEqual([]);
  });
});

it('ignores timers of an earlier connection', () => {
  const harness = running(1);
  const taskId = first(harness);
  harness.input({ type: 'kill_tasks', filter: { taskId }, scale: true });
  harness.disconnect();
  const calls = harness.mesos.calls.length;
  harness.pass(700_000);
  expect(since(harness, calls)).toEqual([]);
  harness.connect();
  harness.deliver();
  harness.mesos.inbox = [];
  const again = harness.mesos.calls.length;
  harness.pass(10_000);
  expect(since(harness, again).filter(({ type }) => type === 'KILL')).toHaveLength(1);
});
