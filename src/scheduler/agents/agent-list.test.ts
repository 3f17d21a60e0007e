import { expect, it } from 'vitest';
import { agentsIn, listAgents, withAnswer } from './agent-list.ts';

const RESOURCES = { cpus: 4, mem: 4096, disk: 0, gpus: 0, ports: '[31000-32000]' };

function slave(id: string, more: object = {}) {
  return {
    id,
    hostname: `${id}.example`,
    active: true,
    attributes: { rack: 'a', weight: 2 },
    resources: RESOURCES,
    used_resources: { cpus: 1, mem: 64 },
    offered_resources: { cpus: 3, mem: 4032 },
    reserved_resources: { prod: { cpus: 1, mem: 10 } },
    version: '1.11.0',
    ...more,
  };
}

it('reads what the master says of its agents', () => {
  expect(agentsIn({ slaves: [slave('S0')] })).toEqual([
    {
      id: 'S0',
      host: 'S0.example',
      state: 'active',
      attributes: { rack: 'a', weight: 2 },
      total: { cpus: 4, mem: 4096, disk: 0, gpus: 0 },
      used: { cpus: 1, mem: 64, disk: 0, gpus: 0 },
      offered: { cpus: 3, mem: 4032, disk: 0, gpus: 0 },
      reserved: { prod: { cpus: 1, mem: 10, disk: 0, gpus: 0 } },
      ports: '[31000-32000]',
      version: '1.11.0',
    },
  ]);
  const states = [
    { active: false },
    { deactivated: true },
    { drain_info: { state: 'DRAINING' }, deactivated: true },
    { drain_info: { state: 'DRAINED' }, deactivated: true },
  ].map((more) => agentsIn({ slaves: [slave('S', more)] })?.[0]?.state);
  expect(states).toEqual(['inactive', 'inactive', 'draining', 'drained']);
  for (const answer of [undefined, null, [], {}, { slaves: {} }, 'x'])
    expect(agentsIn(answer)).toBeUndefined();
  expect(agentsIn({ slaves: [1, { id: 'S', hostname: 'h', resources: { cpus: 'x' } }] })).toMatchObject([
    { id: 'S', total: { cpus: 0 } },
  ]);
});

it('shows an agent that the master no longer knows as unknown, without resources', () => {
  const [first = [], second = []] = [
    agentsIn({ slaves: [slave('S1'), slave('S0')] }),
    agentsIn({ slaves: [slave('S1')] }),
  ];
  const seen = withAnswer(withAnswer(new Map(), first, 1000), second, 2000);
  const withTasks = new Map([
    ['S0', 'S0.example'],
    ['S9', 'gone.example'],
  ]);
  const agents = listAgents(seen, 2000, withTasks);
  expect(agents.map(({ id, state }) => [id, state])).toEqual([
    ['S0', 'unknown'],
    ['S1', 'active'],
    ['S9', 'unknown'],
  ]);
  const attributes = { rack: 'a', weight: 2 };
  expect(agents[0]).toEqual({ id: 'S0', host: 'S0.example', state: 'unknown', seenAt: 1000, attributes });
  expect(agents[2]).toEqual({ id: 'S9', host: 'gone.example', state: 'unknown' });
});

it('knows no agent while the master does not answer, and forgets those that are gone for an hour', () => {
  const seen = withAnswer(new Map(), agentsIn({ slaves: [slave('S0')] }) ?? [], 1000);
  expect(listAgents(seen, undefined, new Map()).map(({ state }) => state)).toEqual(['unknown']);
  expect(listAgents(withAnswer(seen, [], 3_601_000), 3_601_000, new Map())).toEqual([]);
});
