import { beforeEach, describe, expect, it } from 'vitest';
import { FakeMaster } from '../../../test/embedded/fake-master.ts';
import { deactivateAgent, drainAgent, markAgentGone, reactivateAgent } from './drain.ts';
import { Registrar, type Registry, type RegistryStore, recoverRegistry, registryOf } from './registry.ts';
import { giveUpRecovered } from './removal.ts';

let fake: FakeMaster;

beforeEach(() => {
  fake = new FakeMaster();
});

/** The next master, which has only the stored registry. */
function successor(): FakeMaster {
  const next = new FakeMaster();
  next.clock.now = fake.clock.now;
  recoverRegistry(next.master, JSON.parse(JSON.stringify(registryOf(fake.master))) as Registry);
  return next;
}

describe('the next master', () => {
  it('knows the agents and their operator settings', async () => {
    const [a, b, c] = [fake.register('cpus:1'), fake.register('cpus:1'), fake.register('cpus:1')];
    const config = { mark_gone: false };
    await deactivateAgent(fake.master, a.agent.id);
    fake.register('cpus:1', { id: b.agent.id, tasks: [] });
    await drainAgent(fake.master, b.agent.id, config);
    await markAgentGone(fake.master, c.agent.id);
    const { master } = successor();
    expect([...master.recoveredAgents.keys()]).toEqual([a.agent.id, b.agent.id]);
    expect(master.deactivated).toEqual(new Set([a.agent.id, b.agent.id]));
    expect(master.draining.get(b.agent.id)).toEqual({ state: 'DRAINED', config });
    expect([...master.gone.keys()]).toEqual([c.agent.id]);
  });

  it('accepts returning agents unchanged, except agents marked gone', async () => {
    const { agent } = fake.register('cpus:1');
    const { agent: lost } = fake.register('cpus:1');
    await deactivateAgent(fake.master, agent.id);
    await markAgentGone(fake.master, lost.id);
    const next = successor();
    const scheduler = next.subscribe();
    next.register('cpus:1', { id: agent.id });
    expect(scheduler.offers()).toEqual([]);
    expect(() => next.register('cpus:1', { id: lost.id })).toThrow('told the agent to shut down');
    await reactivateAgent(next.master, agent.id);
    next.clock.settle();
    expect(scheduler.offers()).toHaveLength(1);
    expect(next.master.recoveredAgents.size).toBe(0);
  });

  it('marks agents unreachable that do not return, and finally deletes them', () => {
    const { agent } = fake.register('cpus:1');
    const next = successor();
    const scheduler = next.subscribe();
    const ask = () =>
      next.call(scheduler, 'RECONCILE', {
        reconcile: { tasks: [{ task_id: { value: 't' }, agent_id: { value: agent.id } }] },
      });
    ask();
    expect(scheduler.updates()).toEqual([]);
    giveUpRecovered(next.master);
    ask();
    expect(scheduler.updates()).toMatchObject([{ state: 'TASK_UNREACHABLE' }]);
    fake = next;
    expect([...successor().master.unreachableAgents.keys()]).toEqual([agent.id]);
    fake.clock.now += 15 * 86_400_000;
    expect(successor().master.unreachableAgents.size).toBe(0);
  });
});

describe('Registrar', () => {
  let current: Registry;
  let kept: Registry[];
  let finish: (() => void)[];
  const store: RegistryStore = {
    load: async () => undefined,
    save: (registry) => {
      kept.push(registry);
      return new Promise((resolve) => finish.push(resolve));
    },
  };
  const registry = (id: string): Registry => ({ agents: [], unreachable: [], gone: [{ id, since: 0 }] });
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    current = registry('a');
    kept = [];
    finish = [];
  });

  it('writes once at a time, with the latest state for all waiting requests', async () => {
    const registrar = new Registrar(store, () => current, undefined);
    const first = registrar.save();
    await turn();
    current = registry('b');
    const second = registrar.save();
    current = registry('c');
    const third = registrar.save();
    await turn();
    expect(kept).toEqual([registry('a')]);
    finish[0]?.();
    await first;
    await turn();
    expect(kept).toEqual([registry('a'), registry('c')]);
    finish[1]?.();
    await Promise.all([second, third]);
  });

  it('does not write an unchanged registry', async () => {
    const registrar = new Registrar(store, () => current, registry('a'));
    await registrar.save();
    expect(kept).toEqual([]);
  });

  it('reports a failed write to its caller, and tries again on the next request', async () => {
    let fail = true;
    const failing: RegistryStore = {
      ...store,
      save: async (given) => {
        if (fail) throw new Error('no space');
        kept.push(given);
      },
    };
    const registrar = new Registrar(failing, () => current, undefined);
    await expect(registrar.save()).rejects.toThrow('no space');
    fail = false;
    await registrar.save();
    expect(kept).toEqual([registry('a')]);
  });
});
