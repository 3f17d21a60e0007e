/**
 * Runs arbitrary histories against a Mesos in memory, with crashes at any point of an input. The Mesos throws if a port
 * or resource is allocated twice, a task id is reused, or an update is acknowledged before it is stored.
 */

import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import {
  app,
  changed,
  DOCKER,
  scale,
  start as startInput,
  stop,
  update,
} from '../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../test/scheduler/harness.ts';
import { runs, timeLimit } from '../../../test/support/runs.ts';
import type { AgentSpec } from '../../simulator/agent.ts';
import type { App } from '../domain/app.ts';
import { flatId } from '../domain/app-id.ts';
import type { Constraint } from '../domain/constraint.ts';
import { minHealthy } from '../domain/rollout.ts';
import { beginSnapshot, snapshotOf } from '../domain/snapshot.ts';
import type { State } from '../domain/state.ts';
import { isCounted, isReady } from '../domain/task.ts';
import type { Input } from './inputs.ts';

vi.setConfig({ testTimeout: timeLimit(60_000) });

const AGENTS: AgentSpec[] = [
  { id: 'S0', host: 'a', cpus: 4, mem: 2000, ports: 6 },
  { id: 'S1', host: 'b', cpus: 2, mem: 1000, ports: 3 },
  { id: 'S2', host: 'c', cpus: 3, mem: 1500, ports: 9 },
];
const IDS = ['x', 'y', 'z'];
/** A few snapshots in each history. */
const SNAPSHOT_EVENTS = 20;

type Step =
  | { do: 'input'; input: Input }
  | {
      do:
        | 'deliver'
        | 'deliver_all'
        | 'offer'
        | 'work'
        | 'repeat'
        | 'rescind'
        | 'restart'
        | 'reconnect'
        | 'timer'
        | 'rest';
    }
  | { do: 'lose' | 'return'; agent: number }
  | { do: 'end'; which: number; state: 'TASK_FAILED' | 'TASK_FINISHED' | 'TASK_DROPPED' };

function repeated<T extends string>(value: T, times: number): T[] {
  return Array.from({ length: times }, () => value);
}

const id = fc.constantFrom(...IDS);
const start: fc.Arbitrary<App> = fc
  .record({
    id,
    instances: fc.nat(4),
    cpus: fc.constantFrom(0.1, 0.5, 1, 3),
    mem: fc.constantFrom(32, 200, 900),
    executor: fc.constantFrom(DOCKER, '//cmd', '/own'),
    ports: fc.constantFrom([], [0, 0], [80]),
    constraints: fc.constantFrom<Constraint[][]>([], [['hostname', 'UNIQUE']], [['hostname', 'GROUP_BY']]),
  })
  .map((more) => app({ cmd: 'image', ...more }));

/** Fields that an update may change: configuration, instances, upgrade strategy. */
const fields = fc.record(
  {
    env: fc.constantFrom({ A: '1' }, { A: '2' }),
    instances: fc.nat(4),
    upgradeStrategy: fc.record({
      minimumHealthCapacity: fc.constantFrom(0, 0.5, 1),
      maximumOverCapacity: fc.constantFrom(0, 0.5, 1),
    }),
  },
  { requiredKeys: [] },
);

const input: fc.Arbitrary<Input> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(start, fc.constantFrom(0, 0.3, 0.999)).map(([one, seed]) => startInput(one, seed)),
  },
  fc.tuple(id, fc.nat(5)).map(([appId, instances]) => scale(`/${appId}`, instances)),
  fc.tuple(id, fields, fc.boolean()).map(([appId, some, force]) => update(`/${appId}`, some, force)),
  id.map((appId) => changed([{ op: 'restart', appId: `/${appId}` }])),
  fc
    .tuple(fc.nat(20), fc.boolean())
    .map(([which, isCancel]) =>
      isCancel
        ? { type: 'cancel_deployment' as const, deploymentId: String(which) }
        : changed([{ op: 'roll_back', deploymentId: String(which) }]),
    ),
  id.map((appId) => stop(`/${appId}`)),
  fc.record({
    type: fc.constant('kill_tasks' as const),
    filter: fc.record({ appId: id.map((appId) => `/${appId}`), host: fc.constantFrom('*', 'a') }),
    scale: fc.boolean(),
  }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('input' as const), input }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...repeated('deliver', 6),
        ...repeated('deliver_all', 2),
        ...repeated('offer', 3),
        ...repeated('work', 3),
        ...repeated('rest', 2),
        ...(['repeat', 'rescind', 'restart', 'reconnect', 'timer'] as const),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'return' as const), agent: fc.nat(2) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(5),
      state: fc.constantFrom('TASK_FAILED' as const, 'TASK_FINISHED' as const, 'TASK_DROPPED' as const),
    }),
  },
);

/**
 * Most inputs are handled completely; some are interrupted by a crash, before or after storing, with some calls sent.
 */
const crash = fc.option(fc.record({ stored: fc.boolean(), calls: fc.nat(2) }), { freq: 8, nil: undefined });

function run(harness: Harness, one: Step, cut: { stored: boolean; calls: number } | undefined): void {
  const { mesos } = harness;
  harness.now += 7;
  // A scheduler that is down does nothing; usually it restarts soon.
  if (!harness.state.connected && mesos.inbox.length === 0 && one.do !== 'input') harness.connect();
  // Calls leave only after the events are stored.
  const crashing = cut && (cut.stored ? cut : { stored: false, calls: 0 });
  switch (one.do) {
    case 'input':
      harness.input(named(harness.state, one.input), crashing);
      return;
    case 'deliver':
    case 'deliver_all':
      if (harness.state.connected || mesos.inbox[0]?.type === 'SUBSCRIBED')
        harness.deliver(crashing, one.do === 'deliver' ? 1 : Infinity);
      return;
    case 'restart':
      harness.restart();
      return;
    case 'reconnect':
      if (harness.state.connected) harness.disconnect();
      harness.connect();
      return;
    case 'rest':
      harness.rest();
      return;
    case 'timer':
      harness.pass(5000);
      return;
    case 'lose':
    case 'return': {
      const agentId = AGENTS[one.agent]?.id ?? '';
      if (mesos.unreachable.has(agentId) === (one.do === 'lose')) return;
      if (one.do === 'lose') mesos.lose(agentId);
      else mesos.bringBack(agentId);
      return;
    }
    case 'end': {
      const task = [...mesos.tasks.values()][one.which];
      if (task && !mesos.unreachable.has(task.agentId)) mesos.advance(task.info.task_id.value, one.state);
      return;
    }
    default:
      mesos[one.do]();
  }
}

/** Replaces the index of a deployment by its id, which the generator can't know. */
function named(state: State, input: Input): Input {
  const ids = [...state.deployments.keys()];
  const idOf = (which: string) => ids[Number(which) % Math.max(1, ids.length)] ?? which;
  if (input.type === 'cancel_deployment') return { ...input, deploymentId: idOf(input.deploymentId) };
  if (input.type !== 'change') return input;
  const changes = input.changes.map((change) =>
    change.op === 'roll_back' ? { ...change, deploymentId: idOf(change.deploymentId) } : change,
  );
  return { ...input, changes };
}

/** Checks that the indexes are consistent with the tasks. */
function checkIndexes(state: State): void {
  const waiting = new Set<string>();
  for (const [appId, record] of state.apps) {
    const counted = [...record.tasks.values()].filter(isCounted);
    expect(record.counted).toBe(counted.length);
    expect(record.ending).toBe(counted.filter(({ killedAt }) => killedAt !== undefined).length);
    expect([...record.perAgent.values()].reduce((sum, n) => sum + n, 0)).toBe(counted.length);
    const { active } = record;
    expect(active).toBeDefined();
    if (!active) continue;
    const current = counted.filter(({ configVersion }) => configVersion === active.configVersion);
    expect([record.current, record.ready]).toEqual([current.length, current.filter(isReady).length]);
    // Too many instances only while some of them are being killed or replaced.
    const alive = counted.filter(({ killedAt }) => killedAt === undefined);
    const aliveNow = alive.filter(({ configVersion }) => configVersion === active.configVersion);
    expect(aliveNow.length).toBeLessThanOrEqual(active.instances);
    if (!record.frozen && alive.length > aliveNow.length) {
      // After a change of the limits there may be too many instances for a while.
      const spare = alive.filter(isReady).length - minHealthy(active);
      expect(spare).toBeLessThanOrEqual(0);
    }
    if (record.missing > 0) waiting.add(appId);
    for (const task of record.tasks.values()) expect(state.tasks.get(task.id)).toBe(task);
  }
  expect(state.waiting).toEqual(waiting);
  for (const appId of state.ready) expect(waiting).toContain(appId);
}

it('no history with crashes duplicates, loses or leaves anything behind', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, crash), { minLength: 10, maxLength: 60, size: 'max' }), (steps) => {
      const harness = new Harness(AGENTS, {}, {}, SNAPSHOT_EVENTS);
      harness.connect();
      for (const [one, cut] of steps) {
        run(harness, one, cut);
        checkIndexes(harness.state);
      }
      for (const agent of AGENTS)
        if (harness.mesos.unreachable.has(agent.id)) harness.mesos.bringBack(agent.id);
      harness.restart();
      harness.rest();
      checkIndexes(harness.state);
      const live = harness.mesos.live();
      // Both sides know the same tasks, and each task is an instance of its app.
      expect(live.map(({ info }) => info.task_id.value).sort()).toEqual(
        [...harness.state.tasks.keys()].sort(),
      );
      for (const [appId, record] of harness.state.apps) {
        const instances = live.filter(({ info }) => info.name === flatId(appId));
        expect(instances).toHaveLength(record.counted);
        const placed = harness.state.waiting.has(appId) ? record.refusals.size > 0 : true;
        expect(placed).toBe(true);
      }
      // A deployment ends, unless its apps don't fit.
      for (const { deployment } of harness.state.deployments.values()) {
        const waits = deployment.appIds.some((appId) => harness.state.waiting.has(appId));
        expect(waits).toBe(true);
      }
      for (const { info } of live) expect(harness.state.apps.has(`/${info.name}`)).toBe(true);
    }),
    { numRuns: runs(250) },
  );
});

it('a snapshot that is listed while the state changes is that of its beginning', () => {
  const history = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' });
  fc.assert(
    fc.property(history, history, (before, during) => {
      const harness = new Harness(AGENTS);
      harness.connect();
      for (const one of before) run(harness, one, undefined);
      const { state } = harness;
      const expected = structuredClone([...snapshotOf(state)]);
      const snapshot = beginSnapshot(state);
      harness.onEvent = (event) => snapshot.before(state, event);
      const events = snapshot.events()[Symbol.iterator]();
      const listed: unknown[] = [];
      for (const one of during) {
        // A restart would end the snapshot.
        if (one.do !== 'restart') run(harness, one, undefined);
        const next = events.next();
        if (!next.done) listed.push(structuredClone(next.value));
      }
      for (let next = events.next(); !next.done; next = events.next()) listed.push(next.value);
      expect(listed).toEqual(expected);
    }),
    { numRuns: runs(100) },
  );
});

it('a snapshot and a replay of the whole journal give the same state', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, crash), { maxLength: 40, size: 'max' }), (steps) => {
      const harness = new Harness(AGENTS);
      harness.connect();
      for (const [one, cut] of steps) run(harness, one, cut);
      harness.restart();
      const replayed = [...snapshotOf(harness.state)];
      harness.disk.splice(0, harness.disk.length, ...structuredClone(replayed));
      harness.restart();
      expect([...snapshotOf(harness.state)]).toEqual(replayed);
      checkIndexes(harness.state);
    }),
    { numRuns: runs(100) },
  );
});
