import { expect, it } from 'vitest';
import { type Agent, byHost, fullnessOf, sumOf } from './capacity.ts';

function agent(id: string, cpus: number, mem: number): Agent {
  return {
    id,
    host: 'h',
    state: 'active',
    total: { cpus: 4, mem: 1000, disk: 0, gpus: 0 },
    used: { cpus, mem, disk: 0, gpus: 0 },
    tasks: 1,
  };
}
const unknown: Agent = { id: 'u', host: 'a', state: 'unknown', tasks: 2 };

it('measures an agent by what it has least of, and not one that is unknown', () => {
  expect(fullnessOf(agent('1', 1, 750))).toBe(0.75);
  expect(fullnessOf(agent('1', 5, 0))).toBe(1);
  expect(fullnessOf(unknown)).toBeUndefined();
});

it('counts unknown agents instead of adding 0 for them', () => {
  expect(sumOf([agent('1', 1, 0), agent('2', 2, 0), unknown], 'cpus')).toEqual({
    total: 8,
    used: 3,
    unknown: 1,
  });
});

it('sorts by host, then by id', () => {
  expect(byHost([agent('2', 0, 0), agent('1', 0, 0), unknown]).map(({ id }) => id)).toEqual(['u', '1', '2']);
});
