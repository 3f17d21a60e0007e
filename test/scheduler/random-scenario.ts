/** Random clusters of 50 agents and 500 tasks, with all kinds of faults. */

import fc from 'fast-check';
import { type Scenario, type ScenarioInput, scenarioSchema } from '../../src/simulator/scenario.ts';

const AGENTS = 50;
const TASKS = 500;

const app = fc.record({
  weight: fc.integer({ min: 1, max: 10 }),
  fields: fc.record({
    cpus: fc.constantFrom(0.05, 0.1, 0.2, 0.5),
    mem: fc.constantFrom(32, 64, 128),
    mode: fc.constantFrom('service', 'service', 'service', 'service', 'job', 'daemon'),
    container: fc.constantFrom(undefined, { type: 'DOCKER', docker: { image: 'image' } }),
    portDefinitions: fc.constantFrom([], [{ port: 0 }], [{ port: 0 }, { port: 0 }]),
    healthChecks: fc.constantFrom([], [{ protocol: 'COMMAND', command: { value: 'true' } }]),
    drainSeconds: fc.constantFrom(undefined, undefined, 0, 3, 20),
    killSelection: fc.constantFrom('YOUNGEST_FIRST', 'OLDEST_FIRST'),
    upgradeStrategy: fc.record({
      minimumHealthCapacity: fc.constantFrom(0, 0.5, 0.9, 1),
      maximumOverCapacity: fc.constantFrom(0, 0.2, 1),
    }),
    constraints: fc.constantFrom<string[][]>(
      [],
      [],
      [],
      [['hostname', 'MAX_PER', '3']],
      [['rack', 'GROUP_BY']],
    ),
  }),
  failureRate: fc.constantFrom(0, 0.02, 0.2),
  unwellPerMinute: fc.constantFrom(0, 0.2),
  dependsOn: fc.option(fc.nat(20), { freq: 4, nil: undefined }),
});

const faults = fc.record({
  schedulerCrashesPerMinute: fc.constantFrom(0, 1, 6),
  leaderFailoversPerMinute: fc.constantFrom(0, 1),
  masterFailoversPerMinute: fc.constantFrom(0, 0.5),
  disconnectsPerMinute: fc.constantFrom(0, 1),
  partitionsPerMinute: fc.constantFrom(0, 1, 5),
  agentLossesPerMinute: fc.constantFrom(0, 1),
  rescindsPerMinute: fc.constantFrom(0, 10),
  lostUpdates: fc.constantFrom(0, 0.1),
  repeatedUpdates: fc.constantFrom(0, 0.1),
  lostCalls: fc.constantFrom(0, 0.003),
  refusedCalls: fc.constantFrom(0, 0.01),
});

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.nat(2 ** 31 - 1),
    apps: fc.array(app, { minLength: 3, maxLength: 15 }),
    // In some, apps fit only some agents, so that offer constraints are sent.
    onRacks: fc.constantFrom(false, false, true),
    // Some clusters have little spare capacity.
    cpus: fc.constantFrom(2, 4, 8),
    ports: fc.constantFrom(20, 200),
    faults,
    randomChangesPerMinute: fc.constantFrom(2, 10),
    seconds: fc.constantFrom(60, 180),
  })
  .map(({ apps, onRacks, cpus, ports, ...more }) =>
    scenarioSchema.parse({
      ...more,
      agents: ['a', 'b'].map((rack) => ({ count: AGENTS / 2, cpus, ports, attributes: { rack } })),
      apps: apps.map((one, i) => appOf(onRacks ? onRack(one, i) : one, i, apps)),
    } satisfies ScenarioInput),
  );

type Drawn = typeof app extends fc.Arbitrary<infer T> ? T : never;

function onRack({ fields, ...more }: Drawn, i: number): Drawn {
  const rack = ['rack', 'IS', i % 2 === 0 ? 'a' : 'b'];
  return { ...more, fields: { ...fields, constraints: [...fields.constraints, rack] } };
}

function appOf({ fields, weight, dependsOn, ...more }: Drawn, i: number, all: readonly Drawn[]) {
  const whole = all.reduce((sum, one) => sum + one.weight, 0);
  const before = dependsOn !== undefined && i > 0 ? [`/app${dependsOn % i}`] : [];
  return {
    app: {
      ...fields,
      id: `/app${i}`,
      cmd: 'sleep 600',
      instances: Math.round((TASKS * weight) / whole),
      dependencies: before,
    },
    ...more,
    ...(fields.mode === 'job' && { run: [5, 60] as [number, number] }),
  };
}
