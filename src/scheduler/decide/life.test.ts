import { describe, expect, it } from 'vitest';
import type { FakeAgent } from '../../../test/scheduler/fake-mesos.ts';
import { app } from '../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../test/scheduler/harness.ts';
import type { TaskStatus } from '../../mesos/types.ts';
import { nextTimer } from '../domain/timers.ts';
import { settle } from './decide.ts';
import type { Call } from './inputs.ts';

const AGENTS: FakeAgent[] = ['a', 'b'].map((host, i) => ({
  id: `S${i}`,
  host,
  cpus: 4,
  mem: 8192,
  ports: 20,
}));

function running(instances = 2): Harness {
  const harness = new Harness(AGENTS);
  harness.input({ type: 'start', app: app({ instances }), seed: 0 });
  harness.rest();
  return harness;
}

function ids(harness: Harness): string[] {
  return [...harness.state.tasks.keys()];
}

function first(harness: Harness): string {
  return ids(harness)[0] ?? '';
}

function since(harness: Harness, from: number): Call[] {
  return harness.mesos.calls.slice(from);
}

function update(harness: Harness, taskId: string, more: Partial<TaskStatus>) {
  const status = {
    task_id: { value: taskId },
    agent_id: { value: 'S0' },
    state: 'TASK_RUNNING',
    ...more,
  } as const;
  harness.input({ type: 'mesos', event: { type: 'UPDATE', update: { status } } });
}

describe('apps', () => {
  it('are not started twice', () => {
    const harness = running();
    expect(harness.input({ type: 'start', app: app(), seed: 0 })).toEqual({
      type: 'invalid',
      errors: [{ attribute: 'id', error: "Already started app 'multidis'" }],
    });
  });

  it.each([
    ['cmd', { cmd: ' ' }, 'may not be empty'],
    ['cmd', { cmd: '', executor: '//cmd', container: { image: 'x', options: [] } }, 'may not be empty'],
    ['cmd', { cmd: 'redis | cat' }, 'only a shell understands'],
    ['cmd', { cmd: '-v /:/host' }, 'is not the name of an image'],
    ['cmd', { cmd: '$NOTHING' }, "'' is not the name of an image"],
    [
      'container',
      { cmd: '', container: { image: 'docker:///', options: [] } },
      'is not the name of an image',
    ],
  ])('that could never run are refused: %s %j', (attribute, more, text) => {
    const harness = new Harness(AGENTS);
    const reply = harness.input({ type: 'start', app: app(more), seed: 0 });
    expect(reply).toMatchObject({ type: 'invalid', errors: [{ attribute }] });
    expect(JSON.stringify(reply)).toContain(text);
    expect(harness.state.apps.size).toBe(0);
  });

  it('need no command where the container says what to run', () => {
    const harness = new Harness(AGENTS);
    const container = { image: 'redis', options: [] };
    expect(harness.input({ type: 'start', app: app({ cmd: '', container, ports: [80] }), seed: 0 })).toEqual({
      type: 'done',
    });
  });

  it('get service ports that no other has, until there are none left', () => {
    const harness = new Harness(AGENTS, { localPortMin: 10_000, localPortMax: 10_002 });
    harness.input({ type: 'start', app: app({ id: 'a', ports: [0, 10_002] }), seed: 0.99 });
    harness.input({ type: 'start', app: app({ id: 'b' }), seed: 0.99 });
    expect(harness.state.apps.get('a')?.app.ports).toEqual([10_000, 10_002]);
    expect(harness.state.apps.get('b')?.app.ports).toEqual([10_001]);
    const reply = harness.input({ type: 'start', app: app({ id: 'c' }), seed: 0 });
    expect(reply).toMatchObject({ type: 'invalid', errors: [{ attribute: 'ports' }] });
    harness.input({ type: 'stop', appId: 'a' });
    expect(harness.input({ type: 'start', app: app({ id: 'c' }), seed: 0 })).toEqual({ type: 'done' });
  });

  it('that are unknown cannot be scaled or stopped', () => {
    const harness = running();
    expect(harness.input({ type: 'scale', appId: 'x', instances: 1 })).toEqual({
      type: 'unknown_app',
      appId: 'x',
    });
    expect(harness.input({ type: 'stop', appId: 'x' })).toEqual({ type: 'unknown_app', appId: 'x' });
  });

  it('lose the youngest when scaled down', () => {
    const harness = running(1);
    const oldest = first(harness);
    harness.now += 1000;
    harness.input({ type: 'scale', appId: 'multidis', instances: 3 });
    harness.rest();
    harness.input({ type: 'scale', appId: 'multidis', instances: 1 });
    expect(harness.mesos.calls.filter(({ type }) => type === 'KILL')).toHaveLength(2);
    harness.rest();
    expect(ids(harness)).toEqual([oldest]);
    expect(harness.mesos.live()).toHaveLength(1);
  });

  it('are gone at once when stopped; their tasks are seen to their end', () => {
    const harness = running();
    const tasks = ids(harness);
    harness.input({ type: 'stop', appId: 'multidis' });
    expect(harness.state.apps.size).toBe(0);
    expect(ids(harness)).toEqual(tasks);
    harness.rest();
    expect(harness.state.tasks.size).toBe(0);
    expect(harness.mesos.tasks.size).toBe(0);
  });

  it('stopped without a connection end when there is one', () => {
    const harness = running();
    harness.disconnect();
    const calls = harness.mesos.calls.length;
    harness.input({ type: 'stop', appId: 'multidis' });
    expect(since(harness, calls)).toEqual([]);
    harness.rest();
    expect(harness.mesos.tasks.size).toBe(0);
  });
});

describe('killing tasks by filter', () => {
  it('ends what matches, and replaces it', () => {
    const harness = running();
    const reply = harness.input({
      type: 'kill_tasks',
      filter: { appId: 'multidis', host: 'a' },
      scale: false,
    });
    expect(reply).toMatchObject({ type: 'killed', tasks: [{ appId: 'multidis', host: 'a' }] });
    const [killed] = ids(harness);
    harness.rest();
    expect(ids(harness)).toHaveLength(2);
    expect(ids(harness)).not.toContain(killed);
  });

  it('scales down with it where asked to', () => {
    const harness = running();
    harness.input({ type: 'kill_tasks', filter: { appId: '*', host: '*' }, scale: true });
    harness.rest();
    expect(harness.state.apps.get('multidis')?.app.instances).toBe(0);
    expect(harness.mesos.tasks.size).toBe(0);
  });

  it.each([[{}], [{ appId: 'multidis' }], [{ appId: 'x', host: '*' }], [{ taskId: 'x' }]])(
    'ends nothing for %j',
    (filter) => {
      const harness = running();
      expect(harness.input({ type: 'kill_tasks', filter, scale: true })).toEqual({
        type: 'killed',
        tasks: [],
      });
      expect(harness.state.apps.get('multidis')?.app.instances).toBe(2);
    },
  );

  it('finds a task by its id', () => {
    const harness = running();
    const taskId = first(harness);
    expect(harness.input({ type: 'kill_tasks', filter: { taskId }, scale: false })).toMatchObject({
      tasks: [{ id: taskId }],
    });
  });

  it('asks again until the task has ended', () => {
    const harness = running(1);
    const taskId = first(harness);
    harness.input({ type: 'kill_tasks', filter: { taskId }, scale: true });
    const calls = harness.mesos.calls.length;
    harness.pass(9999);
    expect(since(harness, calls)).toEqual([]);
    harness.pass(1);
    harness.pass(10_000);
    expect(since(harness, calls).filter(({ type }) => type === 'KILL')).toHaveLength(2);
    harness.rest();
    const done = harness.mesos.calls.length;
    harness.pass(20_000);
    expect(since(harness, done).filter(({ type }) => type === 'KILL')).toEqual([]);
  });
});

describe('tasks that end', () => {
  it('are replaced at once the first time, when they had been running', () => {
    const harness = running();
    const killed = first(harness);
    harness.mesos.advance(killed, 'TASK_FAILED', { message: 'Container exited with 137' });
    const at = harness.now;
    harness.rest();
    expect(harness.now).toBe(at);
    expect(ids(harness)).toHaveLength(2);
    expect(harness.state.apps.get('multidis')?.lastFailure).toMatchObject({
      taskId: killed,
      state: 'TASK_FAILED',
      message: 'Container exited with 137',
    });
  });

  it('together count as one failure', () => {
    const harness = running();
    for (const id of ids(harness))
      harness.mesos.advance(id, 'TASK_FAILED', { reason: 'REASON_EXECUTOR_TERMINATED' });
    const at = harness.now;
    harness.rest();
    expect(harness.now).toBe(at);
    expect(harness.mesos.live()).toHaveLength(2);
    expect(harness.state.apps.get('multidis')?.lastFailure?.message).toBe('REASON_EXECUTOR_TERMINATED');
  });

  it('again and again are launched ever more slowly', () => {
    const harness = running(1);
    const waits: number[] = [];
    for (let i = 0; i < 45; i += 1) {
      harness.mesos.advance(first(harness), 'TASK_FAILED');
      harness.deliverAll();
      waits.push(harness.state.apps.get('multidis')?.delay?.ms ?? -1);
      harness.now += 1;
      harness.rest();
    }
    expect(waits.slice(0, 5)).toEqual([0, 1000, 1150, 1323, 1521]);
    expect(waits.at(-1)).toBe(300_000);
  });

  it('before they ran are not launched again at once', () => {
    const harness = new Harness(AGENTS);
    harness.connect();
    harness.deliverAll();
    harness.input({ type: 'start', app: app({ instances: 1 }), seed: 0 });
    harness.mesos.offer();
    harness.deliverAll();
    harness.mesos.advance(first(harness), 'TASK_FAILED', { message: 'no such image' });
    harness.deliverAll();
    expect(harness.state.ready.size).toBe(0);
    expect(harness.state.waiting).toContain('multidis');
    expect(harness.state.suppressed).toBe(true);
    expect(nextTimer(harness.state.timers)).toBe(harness.now + 1000);
    harness.pass(1000);
    expect(harness.mesos.calls.at(-1)?.type).toBe('REVIVE');
  });

  it('after running well begin with no delay again', () => {
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
    'with %s unasked are replaced, but are no failure',
    (state) => {
      const harness = running(1);
      harness.mesos.advance(first(harness), state);
      harness.rest();
      expect(harness.mesos.live()).toHaveLength(1);
      expect(harness.state.apps.get('multidis')?.lastFailure).toBeUndefined();
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
    expect(harness.state.apps.get('multidis')?.lastFailure).toBeUndefined();
  });

  it.each([
    ['TASK_DROPPED', undefined],
    ['TASK_DROPPED', 'REASON_CONTAINER_LAUNCH_FAILED'],
    ['TASK_LOST', 'REASON_OTHER'],
  ] as const)('for other reasons are not: %s %s', (state, reason) => {
    const harness = new Harness(AGENTS);
    harness.connect();
    harness.deliverAll();
    harness.input({ type: 'start', app: app({ instances: 1 }), seed: 0 });
    harness.mesos.offer();
    harness.deliverAll();
    harness.mesos.advance(first(harness), state, reason ? { reason } : {});
    harness.deliverAll();
    expect(harness.state.ready.size).toBe(0);
    expect(harness.state.apps.get('multidis')?.lastFailure?.message).toBe(reason ?? 'no message was given');
  });
});

describe('updates', () => {
  it('that tell nothing new are acknowledged and not stored', () => {
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

  it('of tasks nobody knows are acknowledged, and the tasks ended', () => {
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

describe('agents out of reach', () => {
  it('have their tasks replaced, and those ended when they return', () => {
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

  it('keep their tasks if nothing took their place', () => {
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

  it('end the tasks of apps that were stopped meanwhile', () => {
    const harness = running();
    harness.mesos.lose('S0');
    harness.deliverAll();
    harness.input({ type: 'stop', appId: 'multidis' });
    harness.pass(60_000);
    harness.mesos.bringBack('S0');
    harness.rest();
    expect(harness.mesos.tasks.size).toBe(0);
  });
});

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

  it('asks for every task, again and again until each has been answered for', () => {
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

  it('asks for all the master knows, now and then', () => {
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

  it('asks in parts when there are many tasks', () => {
    const harness = new Harness([{ id: 'S0', host: 'a', cpus: 3000, mem: 1e6, ports: 2000 }]);
    harness.input({ type: 'start', app: app({ executor: '', instances: 1500, cpus: 0.1, mem: 1 }), seed: 0 });
    harness.rest();
    harness.restart();
    harness.connect();
    harness.deliver();
    const sizes = harness.mesos.calls.flatMap((call) =>
      call.type === 'RECONCILE' ? [call.reconcile.tasks.length] : [],
    );
    expect(sizes).toEqual([1000, 500]);
  });

  it('ends tasks that gave no sign since their launch', () => {
    const harness = new Harness(AGENTS);
    harness.connect();
    harness.deliverAll();
    harness.input({ type: 'start', app: app({ instances: 1 }), seed: 0 });
    harness.mesos.offer();
    harness.deliverAll();
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

  it('stops the daemon rather than take a new id while tasks are on record', () => {
    const harness = running();
    const event = { type: 'ERROR', error: { message: 'Framework has been removed' } } as const;
    harness.input({ type: 'mesos', event });
    expect(harness.lastDecision.fatal).toContain('framework, with 2 tasks');
    expect(harness.state.frameworkId).toBe('framework');
  });

  it('begins anew where there is nothing to lose', () => {
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

  it('stops the daemon when another has taken over', () => {
    const harness = new Harness(AGENTS);
    harness.input({ type: 'mesos', event: { type: 'ERROR', error: { message: 'Framework failed over' } } });
    expect(harness.lastDecision.fatal).toContain('only one may run');
  });

  it('takes other errors for a disconnect', () => {
    const harness = running();
    harness.input({ type: 'mesos', event: { type: 'ERROR', error: { message: 'odd' } } });
    expect(harness.state).toMatchObject({ connected: false, disconnectedBecause: 'the master said: odd' });
    expect(settle(harness.state)).toEqual({ events: [], calls: [] });
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

  it('leave no task in doubt after an ACCEPT', () => {
    const harness = running();
    const known = first(harness);
    harness.mesos.tasks.delete(known);
    harness.input({ type: 'call_failed', call: launch(harness) });
    expect(harness.state.unanswered).toContain(known);
    harness.rest();
    expect(ids(harness)).not.toContain(known);
    expect(harness.mesos.live()).toHaveLength(2);
  });

  it('ask for offers again after a REVIVE', () => {
    const harness = new Harness(AGENTS);
    harness.connect();
    harness.deliverAll();
    harness.input({ type: 'start', app: app(), seed: 0 });
    harness.input({ type: 'call_failed', call: { type: 'REVIVE' } });
    const calls = harness.mesos.calls.length;
    harness.pass(1000);
    expect(since(harness, calls).map(({ type }) => type)).toEqual(['REVIVE']);
  });

  it('need nothing otherwise', () => {
    const harness = running();
    harness.input({ type: 'call_failed', call: { type: 'SUPPRESS' } });
    expect(harness.lastDecision.events).toEqual([]);
    harness.disconnect();
    harness.input({ type: 'call_failed', call: launch(harness) });
    expect(harness.lastDecision.events).toEqual([]);
  });
});

it('ignores what was set for an earlier connection', () => {
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
