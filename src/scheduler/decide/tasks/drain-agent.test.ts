import { describe, expect, it } from 'vitest';
import { app, appV2, scale, start, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import type { AgentSpec } from '../../../simulator/agent.ts';
import { isReady, type Task } from '../../domain/task.ts';
import type { Call } from '../inputs.ts';

const AGENTS: AgentSpec[] = ['a', 'b', 'c'].map((host, i) => ({
  id: `S${i}`,
  host,
  cpus: 4,
  mem: 8192,
  ports: 20,
}));
const drain = (agentId: string, drains = true) => ({ type: 'drain_agent', agentId, drains }) as const;

/** Starts an app whose instances are all running; its instances spread over the agents. */
function running(fields: Record<string, unknown> = {}, agents = AGENTS): Harness {
  const harness = new Harness(agents);
  harness.input(start(appV2({ instances: 6, cpus: 0.1, ...fields })));
  harness.rest();
  harness.mesos.calls.length = 0;
  return harness;
}

const tasksOf = (harness: Harness): Task[] => [...harness.state.tasks.values()];
const on = (harness: Harness, agentId: string) => tasksOf(harness).filter((task) => task.agentId === agentId);
const ready = (harness: Harness) => tasksOf(harness).filter(isReady).length;
const killed = ({ mesos }: Harness): number => mesos.calls.filter(({ type }) => type === 'KILL').length;

/** Drives the harness step by step. @returns the smallest number of ready tasks at any step */
function leastReady(harness: Harness): number {
  let least = ready(harness);
  for (let round = 0; round < 100; round += 1) {
    harness.mesos.offer();
    while (harness.deliver()) least = Math.min(least, ready(harness));
    harness.mesos.work();
    least = Math.min(least, ready(harness));
  }
  return least;
}

describe('the drain of an agent', () => {
  it('replaces its tasks on other agents, and kills each only when enough others are ready', () => {
    const harness = running();
    expect(on(harness, 'S0')).toHaveLength(2);
    expect(harness.input(drain('S0'))).toEqual({ type: 'done' });
    expect(killed(harness)).toBe(0);
    expect(leastReady(harness)).toBe(6);
    expect(on(harness, 'S0')).toEqual([]);
    expect([tasksOf(harness).length, killed(harness)]).toEqual([6, 2]);
  });

  it('shuts down a shared executor with its last task, and no other one', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(app({ instances: 6 })));
    harness.rest();
    const [first, second] = on(harness, 'S0');
    expect(first?.executorId).toBe(second?.executorId);
    harness.mesos.calls.length = 0;
    harness.input(drain('S0'));
    leastReady(harness);
    const ends = harness.mesos.calls.filter(({ type }) => type === 'SHUTDOWN');
    const shutdown = { executor_id: { value: first?.executorId }, agent_id: { value: 'S0' } };
    expect(ends).toEqual([{ type: 'SHUTDOWN', shutdown }]);
    const last = harness.mesos.calls.findLastIndex(({ type }) => type === 'ACKNOWLEDGE');
    expect(harness.mesos.calls.indexOf(ends[0] as Call)).toBeGreaterThan(last - 1);
  });

  it('keeps to the upgrade strategy of the app', () => {
    const strategy = { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 };
    const harness = running({ upgradeStrategy: strategy });
    harness.input(drain('S0'));
    // No capacity beside the instances: old ones end first.
    expect(killed(harness)).toBe(2);
    expect(leastReady(harness)).toBe(4);
    expect(on(harness, 'S0')).toEqual([]);
    expect(tasksOf(harness)).toHaveLength(6);
  });

  it('lets running tasks drain for drainSeconds before the kill', () => {
    const harness = running({ drainSeconds: 30 });
    harness.input(drain('S0'));
    leastReady(harness);
    expect(on(harness, 'S0').map(({ drainUntil }) => drainUntil)).toEqual([
      harness.now + 30_000,
      harness.now + 30_000,
    ]);
    expect(killed(harness)).toBe(0);
    harness.pass(30_000);
    harness.rest();
    expect(on(harness, 'S0')).toEqual([]);
  });

  it('keeps tasks for which there is no room, and continues when there is', () => {
    const harness = running({ cpus: 2 });
    harness.input(drain('S0'));
    leastReady(harness);
    expect([on(harness, 'S0').length, killed(harness)]).toEqual([2, 0]);
    harness.input(scale('/sleeper', 4));
    leastReady(harness);
    expect(on(harness, 'S0')).toEqual([]);
    expect(tasksOf(harness)).toHaveLength(4);
  });

  it('leaves jobs and instances with volumes, and ends daemons at once', () => {
    const job = running({ mode: 'job', instances: 3 });
    job.input(drain('S0'));
    leastReady(job);
    expect([on(job, 'S0').length, killed(job)]).toEqual([1, 0]);
    const daemon = running({ mode: 'daemon' });
    daemon.input(drain('S0'));
    leastReady(daemon);
    expect([on(daemon, 'S0').length, tasksOf(daemon).length]).toEqual([0, 2]);
    daemon.input(drain('S0', false));
    daemon.rest();
    expect(tasksOf(daemon)).toHaveLength(3);
  });

  it('replaces the tasks of an app whose deployment was cancelled, and rolls nothing else', () => {
    const harness = running({ upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 } });
    harness.input(update('/sleeper', { env: { A: '1' } }));
    const [deploymentId = ''] = harness.state.deployments.keys();
    harness.input({ type: 'cancel_deployment', deploymentId });
    const old = tasksOf(harness).map(({ id }) => id);
    harness.input(drain('S0'));
    leastReady(harness);
    expect(on(harness, 'S0')).toEqual([]);
    expect(tasksOf(harness).filter(({ id }) => old.includes(id))).toHaveLength(4);
    expect(tasksOf(harness)).toHaveLength(6);
  });

  it('may be repeated, and is forgotten with the scheduler, which stores nothing of it', () => {
    const harness = running({ cpus: 2 });
    const stored = harness.disk.length;
    harness.input(drain('S0'));
    harness.input(drain('S0'));
    expect(harness.lastDecision.events).toEqual([]);
    expect(harness.disk).toHaveLength(stored);
    harness.restart();
    harness.rest();
    expect(harness.state.drainingAgents.size).toBe(0);
    harness.input(drain('S0'));
    expect(harness.state.apps.get('/sleeper')).toMatchObject({ leaving: 2, counted: 6, current: 4 });
  });

  it('that ends leaves the tasks where they are, and the agent takes tasks at once', () => {
    const harness = running({ cpus: 2 });
    harness.input(drain('S0'));
    leastReady(harness);
    harness.input(drain('S0', false));
    leastReady(harness);
    expect([on(harness, 'S0').length, killed(harness)]).toEqual([2, 0]);
    const other = running();
    other.input(drain('S0'));
    other.rest();
    other.input(drain('S0', false));
    other.input(scale('/sleeper', 9));
    other.rest();
    expect(on(other, 'S0')).toHaveLength(3);
  });

  it('gives no task to an offer of the agent that was on its way', () => {
    const harness = running({ cpus: 0.1 });
    harness.input(drain('S0'));
    harness.input(scale('/sleeper', 12));
    harness.rest();
    expect(on(harness, 'S0')).toEqual([]);
    expect(tasksOf(harness)).toHaveLength(12);
  });
});
