import { expect, it } from 'vitest';
import { agentsOf, agentsTable } from './agent-rows.ts';

const SLAVES = {
  slaves: [
    {
      id: 'S1',
      hostname: 'h2',
      active: false,
      resources: { cpus: 4, mem: 2048 },
      used_resources: {},
    },
    {
      id: 'S0',
      hostname: 'h1',
      active: true,
      attributes: { rack: 'a' },
      resources: { cpus: 2, mem: 1024, ports: '[31000-32000]' },
      used_resources: { cpus: 0.5, mem: 96 },
      offered_resources: { cpus: 1.5, mem: 928 },
    },
  ],
};

it('shows what agents have, use and offer, by host', () => {
  const agents = agentsOf(SLAVES, [{ slaveId: 'S0' }, { slaveId: 'S0' }]) ?? [];
  expect(agentsTable(agents, { width: 100, wide: false })).toBe(
    [
      'AGENT  STATE     TASKS  CPUS USED  MIB USED  OFFERED            ATTRIBUTES',
      'h1     active        2      0.5/2   96/1024  1.5 CPUs, 928 MiB  rack=a',
      'h2     inactive      0        0/4    0/2048  -',
    ].join('\n'),
  );
  for (const line of agentsTable(agents, { width: 60, wide: false }).split('\n')) {
    expect(line.length).toBeLessThanOrEqual(60);
  }
});

it('refuses an answer that is not one of a master', () => {
  expect(agentsOf({}, [])).toBeUndefined();
});
