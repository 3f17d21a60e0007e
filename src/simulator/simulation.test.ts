import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { scenario } from '../../test/scheduler/random-scenario.ts';
import { runs, timeLimit } from '../../test/support/runs.ts';
import { type ScenarioInput, scenarioSchema } from './scenario.ts';
import { simulate } from './simulation.ts';

vi.setConfig({ testTimeout: timeLimit(120_000) });

const QUIET: ScenarioInput = {
  seconds: 30,
  agents: [{ count: 3 }],
  apps: [{ app: { id: '/sleeper', cmd: 'sleep 600', instances: 6 } }],
};

it('violates no property in random histories of 50 agents and 500 tasks', () => {
  const totals = { simulations: 0, launches: 0, crashes: 0, failovers: 0, largestBatch: 0 };
  fc.assert(
    fc.property(scenario, (one) => {
      const { violations, events, scheduler } = simulate(one);
      totals.simulations += 1;
      totals.launches += events.task_launched ?? 0;
      totals.crashes += scheduler.crashes;
      totals.failovers += scheduler.failovers;
      totals.largestBatch = Math.max(totals.largestBatch, scheduler.largestBatch);
      expect(violations).toEqual([]);
    }),
    // Shrinking is useless: a smaller scenario has a different history.
    { numRuns: runs(10), endOnFailure: true },
  );
  console.log(JSON.stringify(totals));
});

describe('a simulation', () => {
  it('depends only on the scenario and the seed', () => {
    const busy = scenarioSchema.parse({
      ...QUIET,
      randomChangesPerMinute: 20,
      faults: { schedulerCrashesPerMinute: 5, partitionsPerMinute: 5, lostUpdates: 0.2 },
    });
    const first = simulate(busy, 7);
    expect(simulate(busy, 7)).toEqual(first);
    expect(simulate(busy, 8)).not.toEqual(first);
  });

  it('makes the changes of the scenario', () => {
    const changes: ScenarioInput['changes'] = [
      { at: 10, scale: '/sleeper', instances: 4 },
      { at: 15, update: '/sleeper', fields: { env: { A: '1' } } },
      { at: 20, restart: '/none' },
    ];
    const report = simulate(scenarioSchema.parse({ ...QUIET, changes }));
    expect(report).toMatchObject({ tasks: 4, apps: 1, violations: [], waiting: [] });
    expect(report.changes).toEqual({ create: 1, scale: 1, update: 1, 'refused: unknown_app': 1 });
    expect(report.events.task_launched).toBe(10);
  });

  it('comes to rest with an app that does not fit', () => {
    const apps = [{ app: { id: '/large', cmd: 'true', cpus: 3, instances: 5 } }];
    const report = simulate(scenarioSchema.parse({ ...QUIET, apps }));
    expect(report).toMatchObject({ tasks: 3, waiting: ['/large'], violations: [] });
  });
});
