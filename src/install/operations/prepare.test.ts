import { expect, test, vi } from 'vitest';
import { bareFacts, clusterOf, hostOf } from '../../../test/install/hosts.ts';
import { type DrainIntent, prepare } from './prepare.ts';
import type { Session } from './session.ts';

// A master that leads, and knows no agent.
vi.mock('./master-agents.ts', () => ({ masterAgents: async () => [] }));

const cluster = clusterOf([hostOf('h1', { roles: ['agent'] })]);
const bare = bareFacts('10.0.0.1');

function planned(intent: DrainIntent, tasks: number | null, answers = true) {
  const facts = new Map([['h1', { ...bare, agent: { ...bare.agent, id: 'a-S0', answers, tasks } }]]);
  const survey = { facts, unreachable: [], secrets: undefined };
  const program = { root: '/none', version: '1' };
  return prepare({ cluster } as Session, program, survey, intent).then(({ plan }) => plan.hosts);
}

test('a host leaves without a drain only if its agent runs no tasks', async () => {
  const retire = { command: 'drain', host: 'h1', retire: true } as const;
  await expect(planned(retire, 2)).rejects.toThrow('h1: its agent is not registered with the leading master');
  await expect(planned(retire, null)).rejects.toThrow('is not registered');
  expect(await planned(retire, 0)).toEqual([]);
  expect(await planned(retire, null, false)).toEqual([]);
  await expect(planned({ command: 'drain', host: 'h1' }, 0)).rejects.toThrow('is not registered');
});
