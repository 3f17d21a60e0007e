import { describe, expect, it } from 'vitest';
import { appV2, scale, start, stop, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../../test/scheduler/running.ts';
import { isReady, type Task } from '../../domain/task.ts';

const ID = '/sleeper';
const DRAIN_S = 30;

/** Starts an app with a drain whose instances are all running. */
function running(fields: Record<string, unknown> = {}): Harness {
  const harness = new Harness(AGENTS);
  harness.input(start(appV2({ instances: 2, cpus: 0.1, drainSeconds: DRAIN_S, ...fields })));
  harness.rest();
  harness.mesos.calls.length = 0;
  return harness;
}

function tasksOf(harness: Harness): Task[] {
  return [...harness.state.tasks.values()];
}

const killsOf = ({ mesos }: Harness): string[] =>
  mesos.calls.flatMap((call) => (call.type === 'KILL' ? [call.kill.task_id.value] : []));

const killAll = (more: { force?: boolean; wipe?: boolean } = {}) =>
  ({ type: 'kill_tasks', filter: { appId: ID, host: '*' }, scale: false, ...more }) as const;

describe('a task of an app with drainSeconds', () => {
  it('is not ready from the beginning of its drain on, and is killed at the end', () => {
    const harness = running();
    harness.input(scale(ID, 1));
    const [draining] = tasksOf(harness).filter((task) => !isReady(task));
    expect(draining).toMatchObject({ state: 'TASK_RUNNING', drainUntil: harness.now + DRAIN_S * 1000 });
    expect(draining?.killedAt).toBeUndefined();
    harness.pass(DRAIN_S * 1000 - 1);
    expect(killsOf(harness)).toEqual([]);
    harness.pass(1);
    expect(killsOf(harness)).toEqual([draining?.id]);
    harness.rest();
    expect(tasksOf(harness)).toHaveLength(1);
    expect(harness.state.deployments.size).toBe(0);
  });

  it('drains before it is replaced, while the new instances are ready', () => {
    const harness = running();
    harness.input(update(ID, { env: { A: '1' } }));
    harness.rest();
    const [old, current] = [tasksOf(harness).slice(0, 2), tasksOf(harness).slice(2)];
    expect(current.map(isReady)).toEqual([true, true]);
    expect(old.map(({ drainUntil, killedAt }) => [drainUntil !== undefined, killedAt])).toEqual([
      [true, undefined],
      [true, undefined],
    ]);
    expect(harness.state.deployments.size).toBe(1);
    harness.pass(DRAIN_S * 1000);
    harness.rest();
    expect(tasksOf(harness).map(({ id }) => id)).toEqual(current.map(({ id }) => id));
    expect(harness.state.deployments.size).toBe(0);
  });

  it('drains when its app is removed', () => {
    const harness = running();
    harness.input(stop(ID));
    harness.rest();
    expect(tasksOf(harness).map(({ killedAt }) => killedAt)).toEqual([undefined, undefined]);
    expect(harness.state.deployments.size).toBe(1);
    harness.pass(DRAIN_S * 1000);
    harness.rest();
    expect(tasksOf(harness)).toEqual([]);
    expect(harness.state.deployments.size).toBe(0);
  });

  it('keeps the end of its drain over a restart of the scheduler', () => {
    const harness = running();
    harness.input(scale(ID, 1));
    harness.pass(10_000);
    harness.restart();
    harness.connect();
    harness.deliverAll();
    harness.pass(DRAIN_S * 1000 - 10_001);
    expect(killsOf(harness)).toEqual([]);
    harness.pass(1);
    expect(killsOf(harness)).toHaveLength(1);
  });

  it('is killed at the next connection if its drain ends without one', () => {
    const harness = running();
    harness.input(scale(ID, 1));
    harness.disconnect();
    harness.pass(DRAIN_S * 1000);
    expect(killsOf(harness)).toEqual([]);
    harness.connect();
    harness.deliverAll();
    expect(killsOf(harness)).toHaveLength(1);
  });

  it('drains when a user kills it, and once only', () => {
    const harness = running();
    expect(harness.input(killAll())).toMatchObject({ type: 'killed', tasks: [{}, {}] });
    const before = tasksOf(harness).map(({ drainUntil }) => drainUntil);
    expect(before).toEqual([harness.now + DRAIN_S * 1000, harness.now + DRAIN_S * 1000]);
    harness.now += 1000;
    expect(harness.input(killAll())).toMatchObject({ type: 'killed', tasks: [] });
    expect(tasksOf(harness).map(({ drainUntil }) => drainUntil)).toEqual(before);
  });

  it.each([[{ force: true }], [{ wipe: true }]])(
    'is killed at once by a user with %j, also while it drains',
    (more) => {
      const harness = running();
      harness.input(killAll(more));
      expect(killsOf(harness)).toHaveLength(2);
      const draining = running();
      draining.input(killAll());
      draining.input(killAll(more));
      expect(killsOf(draining)).toHaveLength(2);
    },
  );

  it('does not count when a user kills it at once and scales its app', () => {
    const harness = running();
    harness.input(scale(ID, 1));
    const atOnce = { ...killAll({ force: true }), scale: true };
    const [draining] = tasksOf(harness).filter((task) => !isReady(task));
    const one = { ...atOnce, filter: { appId: ID, taskIds: new Set([draining?.id ?? '']) } };
    expect(harness.input(one)).toEqual({
      type: 'killed',
      tasks: [expect.objectContaining({ id: draining?.id })],
      plan: expect.objectContaining({ steps: [] }),
    });
    expect(killsOf(harness)).toEqual([draining?.id]);
    expect(harness.state.apps.get(ID)?.app.instances).toBe(1);
    harness.input(atOnce);
    expect(harness.state.apps.get(ID)?.app.instances).toBe(0);
  });

  it('drains on if its agent is unreachable meanwhile', () => {
    const harness = running();
    harness.input(killAll());
    const [task] = tasksOf(harness);
    for (const state of ['TASK_UNREACHABLE', 'TASK_RUNNING'] as const) {
      harness.mesos.advance(task?.id ?? '', state);
      harness.deliverAll();
    }
    expect(killsOf(harness)).toEqual([]);
    harness.pass(DRAIN_S * 1000);
    expect(killsOf(harness)).toContain(task?.id);
  });

  it('that ends during its drain is not killed any more, and is no failure of its app', () => {
    const harness = running();
    harness.input(killAll());
    const [task] = tasksOf(harness);
    harness.mesos.advance(task?.id ?? '', 'TASK_FAILED');
    harness.deliverAll();
    harness.rest();
    expect(harness.state.apps.get(ID)).toMatchObject({ counted: 2, ending: 1, ready: 1 });
    expect(harness.state.apps.get(ID)?.lastFailure).toBeUndefined();
    harness.pass(DRAIN_S * 1000);
    expect(killsOf(harness)).not.toContain(task?.id);
  });

  it('that fails its health checks is killed at once', () => {
    const harness = running({
      healthChecks: [{ protocol: 'TCP', port: 1 }],
    });
    const [task] = tasksOf(harness);
    harness.input({ type: 'probed', taskId: task?.id ?? '', probe: 0, healthy: false, giveUp: 'no answer' });
    expect(killsOf(harness)).toEqual([task?.id]);
  });

  it('has no drain with 0 seconds, or before it runs', () => {
    const harness = running({ drainSeconds: 0 });
    harness.input(scale(ID, 1));
    expect(killsOf(harness)).toHaveLength(1);
  });
});
