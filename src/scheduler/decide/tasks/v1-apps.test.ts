import { describe, expect, it } from 'vitest';
import { app, scale, start, stop } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS, first, ids, running, since } from '../../../../test/scheduler/running.ts';

describe('apps', () => {
  it('are not started twice', () => {
    const harness = running();
    expect(harness.input(start(app()))).toEqual({
      type: 'exists',
      appId: '/multidis',
    });
  });

  it.each([
    ['cmd', { cmd: ' ' }, 'may not be empty'],
    ['cmd', { cmd: '', executor: '//cmd', container: { image: 'x', options: [] } }, 'may not be empty'],
    ['cmd', { cmd: 'redis | cat' }, 'only a shell understands'],
    ['cmd', { cmd: '-v /:/host' }, 'is not an image name'],
    ['cmd', { cmd: '$NOTHING' }, "'' is not an image name"],
    ['container', { cmd: '', container: { image: 'docker:///', options: [] } }, 'is not an image name'],
  ])('that could never run are refused: %s %j', (attribute, more, text) => {
    const harness = new Harness(AGENTS);
    const reply = harness.input(start(app(more)));
    expect(reply).toMatchObject({ type: 'invalid', errors: [{ path: [attribute] }] });
    expect(JSON.stringify(reply)).toContain(text);
    expect(harness.state.apps.size).toBe(0);
  });

  it('need no command if the container has an image', () => {
    const harness = new Harness(AGENTS);
    const container = { image: 'redis', options: [] };
    expect(harness.input(start(app({ cmd: '', container, ports: [80] })))).toMatchObject({
      type: 'deployed',
    });
  });

  it('get unused service ports, until none is left', () => {
    const harness = new Harness(AGENTS, { localPortMin: 10_000, localPortMax: 10_002 });
    harness.input(start(app({ id: 'a', ports: [0, 10_002] }), 0.99));
    harness.input(start(app({ id: 'b' }), 0.99));
    expect(harness.state.apps.get('/a')?.app.portDefinitions.map(({ port }) => port)).toEqual([
      10_000, 10_002,
    ]);
    expect(harness.state.apps.get('/b')?.app.portDefinitions.map(({ port }) => port)).toEqual([10_001]);
    const reply = harness.input(start(app({ id: 'c' })));
    expect(reply).toMatchObject({ type: 'invalid', errors: [{ path: ['ports'] }] });
    harness.input(stop('/a'));
    expect(harness.input(start(app({ id: 'c' })))).toMatchObject({ type: 'deployed' });
  });

  it('may launch at once after a request ends their delay', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(app({ instances: 1 })));
    harness.connect();
    harness.deliverAll();
    harness.mesos.offer();
    harness.deliverAll();
    harness.mesos.advance(first(harness), 'TASK_FAILED');
    harness.deliverAll();
    expect(harness.state.ready.size).toBe(0);
    expect(harness.input({ type: 'lift_delay', appId: '/multidis' })).toEqual({ type: 'done' });
    expect(harness.state.ready.size).toBe(1);
    expect(harness.input({ type: 'lift_delay', appId: '/x' })).toEqual({ type: 'unknown_app', appId: '/x' });
  });

  it('that are unknown cannot be scaled or stopped', () => {
    const harness = running();
    expect(harness.input(scale('/x', 1))).toEqual({
      type: 'unknown_app',
      appId: '/x',
    });
    expect(harness.input(stop('/x'))).toEqual({ type: 'unknown_app', appId: '/x' });
  });

  it('lose the youngest tasks when scaled down', () => {
    const harness = running(1);
    const oldest = first(harness);
    harness.now += 1000;
    harness.input(scale('/multidis', 3));
    harness.rest();
    harness.input(scale('/multidis', 1));
    expect(harness.mesos.calls.filter(({ type }) => type === 'KILL')).toHaveLength(2);
    harness.rest();
    expect(ids(harness)).toEqual([oldest]);
    expect(harness.mesos.live()).toHaveLength(1);
  });

  it('are removed at once when stopped, and their tasks are tracked until they end', () => {
    const harness = running();
    const tasks = ids(harness);
    harness.input(stop('/multidis'));
    expect(harness.state.apps.size).toBe(0);
    expect(ids(harness)).toEqual(tasks);
    harness.rest();
    expect(harness.state.tasks.size).toBe(0);
    expect(harness.mesos.tasks.size).toBe(0);
  });

  it('stopped without a connection are killed with the next connection', () => {
    const harness = running();
    harness.disconnect();
    const calls = harness.mesos.calls.length;
    harness.input(stop('/multidis'));
    expect(since(harness, calls)).toEqual([]);
    harness.rest();
    expect(harness.mesos.tasks.size).toBe(0);
  });
});

describe('killing tasks by filter', () => {
  it('kills matching tasks, and replaces them', () => {
    const harness = running();
    const reply = harness.input({
      type: 'kill_tasks',
      filter: { appId: '/multidis', host: 'a' },
      scale: false,
    });
    expect(reply).toMatchObject({ type: 'killed', tasks: [{ appId: '/multidis', host: 'a' }] });
    const [killed] = ids(harness);
    harness.rest();
    expect(ids(harness)).toHaveLength(2);
    expect(ids(harness)).not.toContain(killed);
  });

  it('scales down with scale=true', () => {
    const harness = running();
    harness.input({ type: 'kill_tasks', filter: { appId: '*', host: '*' }, scale: true });
    harness.rest();
    expect(harness.state.apps.get('/multidis')?.app.instances).toBe(0);
    expect(harness.mesos.tasks.size).toBe(0);
  });

  it.each([[{}], [{ appId: '/multidis' }], [{ appId: '/x', host: '*' }], [{ taskId: 'x' }]])(
    'kills nothing for %j',
    (filter) => {
      const harness = running();
      expect(harness.input({ type: 'kill_tasks', filter, scale: true })).toEqual({
        type: 'killed',
        tasks: [],
        plan: expect.objectContaining({ steps: [] }),
      });
      expect(harness.state.apps.get('/multidis')?.app.instances).toBe(2);
    },
  );

  it('finds a task by its id', () => {
    const harness = running();
    const taskId = first(harness);
    expect(harness.input({ type: 'kill_tasks', filter: { taskId }, scale: false })).toMatchObject({
      tasks: [{ id: taskId }],
    });
  });

  it('repeats the kill until the task has ended', () => {
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
