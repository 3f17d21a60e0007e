import { expect, it } from 'vitest';
import type { AgentsJson } from '../scheduler/api/v2/agent-schemas.ts';
import { agentsTable, byHost } from './agent-rows.ts';

const amounts = (cpus: number, mem: number) => ({ cpus, mem, disk: 0, gpus: 0 });

const LISTED: AgentsJson['agents'] = [
  { id: 'S2', host: 'h2', state: 'inactive', tasks: 0, total: amounts(4, 2048), used: amounts(0, 0) },
  {
    id: 'S0',
    host: 'h1',
    state: 'active',
    attributes: { rack: 'a' },
    tasks: 2,
    total: amounts(2, 1024),
    used: amounts(0.5, 96),
    offered: amounts(1.5, 928),
    ports: '[31000-32000]',
  },
  { id: 'S1', host: 'h2', state: 'unknown', tasks: 1, seenAt: '2026-01-01T00:00:00Z' },
];

it('shows what agents have, use and offer, by host', () => {
  const agents = byHost(LISTED);
  expect(agents.map(({ id }) => id)).toEqual(['S0', 'S1', 'S2']);
  expect(agentsTable(agents, { width: 100, wide: false })).toBe(
    [
      'AGENT  STATE     TASKS  CPUS USED  MIB USED  OFFERED            ATTRIBUTES',
      'h1     active        2      0.5/2   96/1024  1.5 CPUs, 928 MiB  rack=a',
      'h2     unknown       1          -         -  -',
      'h2     inactive      0        0/4    0/2048  -',
    ].join('\n'),
  );
  for (const line of agentsTable(agents, { width: 60, wide: false }).split('\n')) {
    expect(line.length).toBeLessThanOrEqual(60);
  }
});
