import { describe, expect, it } from 'vitest';
import { app, appV2, start, stop } from '../../../../test/scheduler/fixtures.ts';
import { afterOffers, Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS, first, ids, running, since, update } from '../../../../test/scheduler/running.ts';
import type { NetworkInfo } from '../../../mesos/types.ts';
import { nextTimer } from '../../domain/timers.ts';

describe('tasks that end', () => {
  it('are replaced at once the first time, if they were running', () => {
    const harness = running();
    const killed = first(harness);
    harness.mesos.advance(killed, 'TASK_FAILED', { message: 'Container exited with 137' });
    const at = harness.now;
    harness.rest();
    expect(harness.now).toBe(at);
    expect(ids(harness)).toHaveLength(2);
    expect(harness.state.apps.get('/multidis')?.lastFailure).toMatchObject({
      taskId: killed,
      state: 'TASK_FAILED',
      message: 'Container exited with 137',
    });
  });

  it('at the same time count as one failure', () => {
    const harness = running();
    for (const id of ids(harness))
      harness.mesos.advance(id, 'TASK_FAILED', { reason: 'REASON_EXECUTOR_TERMINATED' });
    const at = harness.now;
    harness.rest();
    expect(harness.now).toBe(at);
    expect(harness.mesos.live()).toHaveLength(2);
    expect(harness.state.apps.get('/multidis')?.lastFailure?.message).toBe('REASON_EXECUTOR_TERMINATED');
  });

  it('repeatedly are relaunched with increasing delays', () => {
    const harness = running(1);
    const waits: number[] = [];
    for (let i = 0; i < 45; i += 1) {
      harness.mesos.advance(first(harness), 'TASK_FAILED');
      harness.deliverAll();
      waits.push(harness.state.apps.get('/multidis')?.delay?.ms ?? -1);
      harness.now += 1;
      harness.rest();
    }
    expect(waits.slice(0, 5)).toEqual([0, 1000, 1150, 1323, 1521]);
    expect(waits.at(-1)).toBe(300_000);
  });

  it('before they were running are relaunched with a delay', () => {
    const harness = afterOffers(AGENTS, start(app({ instances: 1 })));
    harness.mesos.advance(first(harness), 'TASK_FAILED', { message: 'no such image' });
    harness.deliverAll();
    expect(harness.state.ready.size).toBe(0);
    expect(harness.state.waiting).toContain('/multidis');
    expect(harness.state.suppressed).toBe(true);
    expect(nextTimer(harness.state.timers)).toBe(harness.now + 1000);
    harness.pass(1000);
    expect(harness.mesos.calls.at(-1)?.type).toBe('REVIVE');
  });

  it('after running for a while reset the delay', () => {
    const harness = running(1);
    for (const ranFor of [1, 30_000]) {
      harness.now += ranFor;
      const at = harness.now;
      harness.mesos.advance(first(harness), 'TASK_FAILED');
      harness.rest();
      expect(harness.now).toBe(at);
    }
  });

  it.each(['TASK_FINISHED', 'TASK_KILLED'] as const)(
    'with %s on their own are replaced, but do not count as failures',
    (state) => {
      const harness = running(1);
      harness.mesos.advance(first(harness), state);
      harness.rest();
      expect(harness.mesos.live()).toHaveLength(1);
      expect(harness.state.apps.get('/multidis')?.lastFailure).toBeUndefined();
    },
  );

  it.each([
    ['TASK_DROPPED', 'REASON_INVALID_OFFERS'],
    ['TASK_DROPPED', 'REASON_EXECUTOR_TERMINATED'],
    ['TASK_LOST', 'REASON_AGENT_REMOVED'],
    ['TASK_GONE', undefined],
  ] as const)("through the cluster's doing are placed again at once: %s %s", (state, reason) => {
    const harness = running(1);
    for (let i = 0; i < 3; i += 1) {
      harness.now += 1;
      const at = harness.now;
      harness.mesos.advance(first(harness), state, reason ? { reason } : {});
      harness.rest();
      expect(harness.now).toBe(at);
    }
    expect(harness.state.apps.get('/multidis')?.lastFailure).toBeUndefined();
  });

  it('repeatedly because of the cluster are delayed after a few times, with the reason', () => {
    const harness = afterOffers(AGENTS, start(app({ instances: 2 })));
    const lose = () => {
      harness.now += 1;
      for (const id of ids(harness)) {
        harness.mesos.advance(id, 'TASK_DROPPED', {
          reason: 'REASON_EXECUTOR_TERMINATED',
          message: 'no space',
        });
      }
      harness.deliverAll();
      const waited = harness.state.apps.get('/multidis')?.delay?.ms ?? 0;
      harness.pass(Math.max(1, waited));
      harness.mesos.offer();
      harness.deliverAll();
      return waited;
    };
    // Both instances are lost each time, which counts as one loss.
    expect([1, 2, 3, 4, 5, 6, 7].map(lose)).toEqual([0, 0, 0, 0, 0, 1000, 1150]);
    expect(harness.state.apps.get('/multidis')?.lastFailure?.message).toBe('no space');

    // A task that starts shows that launches succeed again.
    harness.mesos.advance(first(harness), 'TASK_STARTING');
    harness.deliverAll();
    expect(harness.state.apps.get('/multidis')?.losses).toBeUndefined();
  });

  it.each([
    ['TASK_DROPPED', undefined],
    ['TASK_DROPPED', 'REASON_CONTAINER_LAUNCH_FAILED'],
    ['TASK_LOST', 'REASON_OTHER'],
  ] as const)('for other reasons are not: %s %s', (state, reason) => {
    const harness = afterOffers(AGENTS, start(app({ instances: 1 })));
    harness.mesos.advance(first(harness), state, reason ? { reason } : {});
    harness.deliverAll();
    expect(harness.state.ready.size).toBe(0);
    expect(harness.state.apps.get('/multidis')?.lastFailure?.message).toBe(reason ?? 'no message');
  });
});

describe('updates', () => {
  it('without news are acknowledged and not stored', () => {
    const harness = running(1);
    const stored = harness.disk.length;
    const calls = harness.mesos.calls.length;
    update(harness, first(harness), { uuid: 'u' });
    update(harness, first(harness), { state: 'TASK_STARTING', uuid: 'v' });
    update(harness, first(harness), { reason: 'REASON_RECONCILIATION', message: 'Latest task state' });
    expect(harness.disk).toHaveLength(stored);
    expect(since(harness, calls).map(({ type }) => type)).toEqual(['ACKNOWLEDGE', 'ACKNOWLEDGE']);
  });

  it('with a new message are stored', () => {
    const harness = running(1);
    update(harness, first(harness), { message: 'pulled', reason: 'REASON_X' });
    expect(harness.disk.at(-1)).toMatchObject({ type: 'task_updated', message: 'pulled' });
  });

  it('of unknown tasks are acknowledged, and the tasks killed', () => {
    const harness = running(1);
    const calls = harness.mesos.calls.length;
    update(harness, 'stranger', { uuid: 'u' });
    update(harness, 'dead', { state: 'TASK_FAILED', uuid: 'u' });
    update(harness, 'far', { state: 'TASK_UNREACHABLE' });
    expect(since(harness, calls).map(({ type }) => type)).toEqual(['ACKNOWLEDGE', 'KILL', 'ACKNOWLEDGE']);
    harness.input({
      type: 'mesos',
      event: { type: 'UPDATE', update: { status: { task_id: { value: 'x' }, state: 'TASK_RUNNING' } } },
    });
    expect(since(harness, calls)).toHaveLength(3);
  });
});

describe('unreachable agents', () => {
  it('have their tasks replaced, and killed when they return', () => {
    const harness = running();
    harness.mesos.lose('S0');
    harness.rest();
    const live = [...harness.state.tasks.values()].filter(({ state }) => state === 'TASK_RUNNING');
    expect(live.map(({ host }) => host)).toEqual(['b', 'b']);
    harness.mesos.bringBack('S0');
    harness.rest();
    expect(ids(harness).sort()).toEqual(live.map(({ id }) => id).sort());
    expect(harness.mesos.live()).toHaveLength(2);
  });

  it('keep their tasks if they were not replaced', () => {
    const harness = running(1);
    const [agent] = [...harness.state.tasks.values()].map(({ agentId }) => agentId);
    harness.mesos.lose(agent ?? '');
    harness.deliverAll();
    harness.mesos.bringBack(agent ?? '');
    const before = ids(harness);
    harness.rest();
    expect(ids(harness)).toEqual(before);
    expect(harness.mesos.live().map(({ state }) => state)).toEqual(['TASK_RUNNING']);
  });

  it('lose the tasks of apps that were removed meanwhile', () => {
    const harness = running();
    harness.mesos.lose('S0');
    harness.deliverAll();
    harness.input(stop('/multidis'));
    harness.pass(60_000);
    harness.mesos.bringBack('S0');
    harness.rest();
    expect(harness.mesos.tasks.size).toBe(0);
  });

  /** A cluster in which the agent with the app's only task is unreachable. */
  function lost(unreachableStrategy: unknown): Harness {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2({ unreachableStrategy })));
    harness.rest();
    harness.mesos.lose([...harness.state.tasks.values()][0]?.agentId ?? '');
    harness.deliverAll();
    harness.mesos.offer();
    harness.deliverAll();
    return harness;
  }

  it('are waited for as long as the app requests, also by a restarted scheduler', () => {
    const harness = lost({ inactiveAfterSeconds: 60 });
    expect(ids(harness)).toHaveLength(1);
    harness.now += 30_000;
    harness.restart();
    harness.connect();
    harness.deliverAll();
    harness.pass(29_000);
    harness.mesos.offer();
    harness.deliverAll();
    expect(ids(harness)).toHaveLength(1);
    harness.pass(1000);
    harness.mesos.offer();
    harness.deliverAll();
    expect(ids(harness)).toHaveLength(2);
  });

  it('have their tasks forgotten after expungeAfterSeconds, also by a restarted scheduler, and killed later', () => {
    const harness = lost({ inactiveAfterSeconds: 10, expungeAfterSeconds: 60 });
    const [old = ''] = ids(harness);
    harness.pass(30_000);
    harness.rest();
    expect([ids(harness).includes(old), ids(harness).length]).toEqual([true, 2]);
    harness.restart();
    harness.connect();
    harness.deliverAll();
    harness.pass(30_000);
    harness.rest();
    expect([ids(harness).includes(old), ids(harness).length]).toEqual([false, 1]);
    const calls = harness.mesos.calls.length;
    update(harness, old, { agent_id: { value: 'S0' } });
    expect(since(harness, calls)).toContainEqual(expect.objectContaining({ type: 'KILL' }));
    expect(ids(harness)).not.toContain(old);
  });

  it('keep tasks that run again while the scheduler is away longer than expungeAfterSeconds', () => {
    const harness = lost({ inactiveAfterSeconds: 60, expungeAfterSeconds: 60 });
    const before = ids(harness);
    harness.disconnect();
    const [agent = ''] = [...harness.state.tasks.values()].map(({ agentId }) => agentId);
    harness.mesos.bringBack(agent);
    harness.pass(100_000);
    harness.restart();
    harness.rest();
    expect(ids(harness)).toEqual(before);
    expect(harness.mesos.live().map(({ state }) => state)).toEqual(['TASK_RUNNING']);
  });

  it('have their tasks replaced when these are forgotten', () => {
    const harness = lost({ inactiveAfterSeconds: 60, expungeAfterSeconds: 60 });
    const [old = ''] = ids(harness);
    harness.pass(60_000);
    harness.rest();
    expect([ids(harness).includes(old), ids(harness).length]).toEqual([false, 1]);
  });

  it('are waited for forever if the app requests it', () => {
    const harness = lost('disabled');
    harness.pass(10 * 86_400_000);
    harness.rest();
    expect(ids(harness)).toHaveLength(1);
  });
});

describe('addresses of a task', () => {
  it('come from its updates and from reconciliation, and are not stored', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2({ instances: 1 })));
    harness.rest();
    const [task] = harness.state.tasks.values();
    const network_infos: NetworkInfo[] = [
      { name: 'none' },
      { name: 'unknown', ip_addresses: [{}] },
      { name: 'n', ip_addresses: [{ ip_address: '10.0.0.7' }, { protocol: 'IPv6', ip_address: 'fd00::7' }] },
    ];
    const shown = [
      { ipAddress: '10.0.0.7', protocol: 'IPv4' },
      { ipAddress: 'fd00::7', protocol: 'IPv6' },
    ];
    const container_status = { network_infos };
    harness.mesos.advance(task?.id ?? '', 'TASK_RUNNING', { container_status });
    harness.deliverAll();
    expect(task?.addresses).toEqual(shown);
    expect(JSON.stringify(harness.disk)).not.toContain('10.0.0.7');
    const { revision } = harness.state.apps.get('/sleeper') ?? {};
    harness.mesos.advance(task?.id ?? '', 'TASK_RUNNING', { container_status });
    harness.deliverAll();
    expect(harness.state.apps.get('/sleeper')?.revision).toBe(revision);
    harness.mesos.advance(task?.id ?? '', 'TASK_RUNNING', { message: 'no networks' });
    harness.deliverAll();
    expect(task?.addresses).toEqual(shown);
  });
});
