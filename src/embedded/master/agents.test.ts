import { describe, expect, it } from 'vitest';
import {
  executorInfo,
  FakeMaster,
  frameworkInfo,
  MASTER_ID,
  taskInfo,
} from '../../../test/embedded/fake-master.ts';
import type { Offer, TaskState } from '../../mesos/types.ts';
import type { ReportedTask } from '../wire/agent-link.ts';
import { handleAgentDisconnect } from './agents.ts';
import { markGone } from './removal.ts';
import { handleAgentUpdate } from './tasks.ts';

const AGENT = `${MASTER_ID}-S0`;
const EARLIER = '99999999-2222-4333-8444-555555555555';

const first = <T>(list: readonly T[]): T => {
  expect(list).not.toHaveLength(0);
  return list[0] as T;
};

/** One agent with one running task of one framework. */
function running(info = {}) {
  const fake = new FakeMaster();
  const { agent, stream } = fake.register('cpus:4;mem:1024');
  const scheduler = fake.subscribe(info);
  const offer = first(scheduler.offers());
  const executor = executorInfo('e', 'cpus:0.5');
  fake.launch(scheduler, [offer], [taskInfo('t', offer, 'cpus:1', executor)]);
  const status = { task_id: { value: 't' }, state: 'TASK_RUNNING' as const, uuid: 'running' };
  handleAgentUpdate(fake.master, agent, offer.framework_id.value, status, 'TASK_RUNNING');
  scheduler.updates();
  return { fake, agent, stream, scheduler, offer, executor };
}

function reported(offer: Offer, state: TaskState = 'TASK_RUNNING'): ReportedTask {
  return {
    framework_id: offer.framework_id.value,
    info: taskInfo('t', offer, 'cpus:1', executorInfo('e', 'cpus:0.5')),
    state,
    status_update_state: state,
    statuses: [{ task_id: { value: 't' }, state }],
  };
}

describe('a disconnected agent', () => {
  it('has its offers rescinded immediately, and keeps its tasks', () => {
    const { fake, agent, stream, scheduler } = running();
    fake.clock.advance(6000);
    fake.call(scheduler, 'REVIVE');
    const offer = first(scheduler.offers());
    handleAgentDisconnect(fake.master, agent, stream);
    expect(scheduler.of('RESCIND')).toEqual([{ type: 'RESCIND', rescind: { offer_id: offer.id } }]);
    expect(scheduler.updates()).toEqual([]);
  });

  it('loses the tasks of a framework without checkpointing', () => {
    const { fake, agent, stream, scheduler } = running({ checkpoint: false });
    handleAgentDisconnect(fake.master, agent, stream);
    expect(scheduler.updates()).toMatchObject([
      { task_id: { value: 't' }, state: 'TASK_LOST', reason: 'REASON_SLAVE_DISCONNECTED' },
    ]);
    expect(agent.available).toEqual(agent.total);
  });

  it('is unreachable after missed pings; its tasks are reachable again when it returns', () => {
    const { fake, agent, stream, scheduler, offer, executor } = running();
    handleAgentDisconnect(fake.master, agent, stream);
    fake.clock.advance(5 * 15_000);
    expect(scheduler.updates()).toMatchObject([
      { state: 'TASK_UNREACHABLE', reason: 'REASON_SLAVE_REMOVED', message: 'health check timed out' },
    ]);
    expect(scheduler.of('FAILURE')).toEqual([{ type: 'FAILURE', failure: { agent_id: { value: AGENT } } }]);
    expect(fake.master.agents.size).toBe(0);
    const framework = fake.master.frameworks.get(offer.framework_id.value);
    expect(framework?.held.get('*')?.get('cpus')).toBe(0);

    const back = fake.register('cpus:4;mem:1024', {
      id: AGENT,
      tasks: [reported(offer)],
      executors: [{ ...executor, framework_id: offer.framework_id }],
    });
    expect(scheduler.updates()).toMatchObject([
      { state: 'TASK_RUNNING', reason: 'REASON_SLAVE_REREGISTERED', agent_id: { value: AGENT } },
    ]);
    expect(back.agent.tasks.size).toBe(1);
    expect(first(scheduler.offers()).resources).toMatchObject([{ name: 'cpus', scalar: { value: 2.5 } }, {}]);
  });

  it('causes TASK_LOST for a framework that is not partition-aware', () => {
    const { fake, agent, stream, scheduler } = running({ capabilities: [{ type: 'MULTI_ROLE' }] });
    handleAgentDisconnect(fake.master, agent, stream);
    fake.clock.advance(5 * 15_000);
    expect(scheduler.updates()).toMatchObject([{ state: 'TASK_LOST' }]);
  });

  it('is reachable as long as it answers pings', () => {
    const { fake, agent, stream } = running();
    for (let i = 0; i < 20; i += 1) {
      fake.clock.advance(15_000);
      agent.missedPings = 0;
    }
    expect(stream.of('PING').length).toBeGreaterThan(15);
    expect(fake.master.agents.has(AGENT)).toBe(true);
  });

  it('gets kills again, and is asked for tasks missing in its report', () => {
    const { fake, agent, stream, scheduler, offer } = running();
    handleAgentDisconnect(fake.master, agent, stream);
    fake.call(scheduler, 'KILL', { kill: { task_id: { value: 't' } } });
    const back = fake.register('cpus:4;mem:1024', { id: AGENT, tasks: [reported(offer)] });
    expect(back.stream.of('KILL_TASK')).toMatchObject([{ task_id: 't' }]);
    handleAgentDisconnect(fake.master, agent, back.stream);
    const empty = fake.register('cpus:4;mem:1024', { id: AGENT });
    expect(first(empty.stream.of('REGISTERED')).reconcile).toMatchObject([{ task_ids: ['t'] }]);
  });

  it('that connects a second time replaces its first connection', () => {
    const { fake, agent, stream, offer } = running();
    const again = fake.register('cpus:4;mem:1024', { id: AGENT, tasks: [reported(offer)] });
    expect(stream.closed).toBe(true);
    handleAgentDisconnect(fake.master, agent, stream);
    expect(again.agent.stream).toBe(again.stream);
  });
});

describe('a task', () => {
  it('frees its resources when it ends, and is removed after the acknowledgement', () => {
    const { fake, agent, scheduler, offer } = running();
    const framework = offer.framework_id.value;
    const status = { task_id: { value: 't' }, state: 'TASK_FAILED' as const, uuid: 'failed' };
    handleAgentUpdate(fake.master, agent, framework, status, 'TASK_FAILED');
    expect(agent.available.scalars.get('cpus')).toBe(3500);
    expect(fake.master.frameworks.get(framework)?.tasks.has('t')).toBe(true);
    const acknowledge = (uuid: string) =>
      fake.call(scheduler, 'ACKNOWLEDGE', {
        acknowledge: { agent_id: offer.agent_id, task_id: { value: 't' }, uuid },
      });
    acknowledge('running');
    expect(fake.master.frameworks.get(framework)?.tasks.has('t')).toBe(true);
    acknowledge('failed');
    expect(fake.master.frameworks.get(framework)?.tasks.has('t')).toBe(false);
    expect(fake.master.frameworks.get(framework)?.completedTasks).toHaveLength(1);
  });

  it('frees its resources as soon as the agent knows the end, ahead of the updates', () => {
    const { fake, agent, offer } = running();
    const status = { task_id: { value: 't' }, state: 'TASK_RUNNING' as const, uuid: 'running' };
    handleAgentUpdate(fake.master, agent, offer.framework_id.value, status, 'TASK_FINISHED');
    expect(agent.available.scalars.get('cpus')).toBe(3500);
  });
});

describe('reconciliation', () => {
  const ask = (tasks: { task_id: string; agent_id?: string }[]) => ({
    reconcile: {
      tasks: tasks.map((t) => ({
        task_id: { value: t.task_id },
        ...(t.agent_id ? { agent_id: { value: t.agent_id } } : {}),
      })),
    },
  });

  it('sends the last forwarded state, not a newer one', () => {
    const { fake, agent, scheduler, offer } = running();
    const status = { task_id: { value: 't' }, state: 'TASK_RUNNING' as const, uuid: 'running' };
    handleAgentUpdate(fake.master, agent, offer.framework_id.value, status, 'TASK_FINISHED');
    scheduler.updates();
    fake.call(scheduler, 'RECONCILE', ask([]));
    expect(scheduler.updates()).toMatchObject([
      {
        state: 'TASK_RUNNING',
        reason: 'REASON_RECONCILIATION',
        message: 'Reconciliation: Latest task state',
        executor_id: { value: 'e' },
      },
    ]);
  });

  it('of unknown tasks depends on the agent', () => {
    const { fake, scheduler, agent, stream } = running();
    fake.call(scheduler, 'RECONCILE', ask([{ task_id: 'x', agent_id: AGENT }, { task_id: 'y' }]));
    expect(scheduler.updates().map((s) => s.state)).toEqual(['TASK_GONE', 'TASK_UNKNOWN']);
    handleAgentDisconnect(fake.master, agent, stream);
    fake.clock.advance(75_000);
    scheduler.updates();
    fake.call(scheduler, 'RECONCILE', ask([{ task_id: 'x', agent_id: AGENT }]));
    expect(scheduler.updates().map((s) => s.state)).toEqual(['TASK_UNREACHABLE']);
    markGone(fake.master, AGENT);
    scheduler.updates();
    fake.call(scheduler, 'RECONCILE', ask([{ task_id: 'x', agent_id: AGENT }]));
    expect(scheduler.updates()).toMatchObject([
      { state: 'TASK_GONE_BY_OPERATOR', message: 'Reconciliation: Task is gone' },
    ]);
  });

  it('sends TASK_LOST to a framework that is not partition-aware', () => {
    const { fake, scheduler } = running({ capabilities: [{ type: 'MULTI_ROLE' }] });
    fake.call(scheduler, 'RECONCILE', ask([{ task_id: 'x', agent_id: AGENT }, { task_id: 'y' }]));
    expect(scheduler.updates().map((s) => s.state)).toEqual(['TASK_LOST', 'TASK_LOST']);
  });

  it('sends nothing about agents of an earlier master until their timeout to return is over', () => {
    const fake = new FakeMaster();
    const id = { value: `${EARLIER}-0000` };
    const scheduler = fake.subscribe({ id });
    const tasks = [{ task_id: 't', agent_id: `${EARLIER}-S3` }, { task_id: 'u' }];
    fake.call(scheduler, 'RECONCILE', ask(tasks));
    expect(scheduler.updates()).toEqual([]);
    fake.clock.advance(600_000);
    fake.call(scheduler, 'RECONCILE', ask(tasks));
    expect(scheduler.updates().map((s) => s.state)).toEqual(['TASK_UNKNOWN', 'TASK_UNKNOWN']);
  });
});

describe('after a restart of the master', () => {
  it('agents report frameworks, executors and tasks with their ids', () => {
    const fake = new FakeMaster();
    const framework_id = { value: `${EARLIER}-0000` };
    const offer = { agent_id: { value: `${EARLIER}-S0` }, framework_id } as Offer;
    const { agent } = fake.register('cpus:4;mem:1024', {
      id: `${EARLIER}-S0`,
      frameworks: [frameworkInfo({ id: framework_id, failover_timeout: 0 })],
      executors: [{ ...executorInfo('e', 'cpus:0.5'), framework_id }],
      tasks: [reported(offer)],
    });
    fake.clock.advance(1000);
    expect(agent.available.scalars.get('cpus')).toBe(2500);
    const scheduler = fake.subscribe({ id: framework_id, failover_timeout: 0 });
    fake.call(scheduler, 'RECONCILE', { reconcile: { tasks: [] } });
    expect(scheduler.updates()).toMatchObject([{ task_id: { value: 't' }, state: 'TASK_RUNNING' }]);
    expect(first(scheduler.offers()).executor_ids).toEqual([{ value: 'e' }]);
  });

  it('a removed framework is shut down on an agent that still has it', () => {
    const { fake, agent, stream, scheduler, offer } = running();
    handleAgentDisconnect(fake.master, agent, stream);
    fake.call(scheduler, 'TEARDOWN');
    const back = fake.register('cpus:4;mem:1024', {
      id: AGENT,
      frameworks: [frameworkInfo({ id: offer.framework_id })],
      tasks: [reported(offer)],
    });
    expect(back.stream.of('SHUTDOWN_FRAMEWORK')).toHaveLength(1);
    expect(back.agent.tasks.size).toBe(0);
  });
});
