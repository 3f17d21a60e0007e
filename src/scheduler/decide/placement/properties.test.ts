/**
 * Places arbitrary apps on arbitrary offers: placements use offered resources, respect all rules, and are
 * deterministic.
 */

import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { launchedTasks } from '../../../mesos/operations.ts';
import '../../linear-patterns.ts';
import { appV2, settings, start } from '../../../../test/scheduler/fixtures.ts';
import { runs, timeLimit } from '../../../../test/support/runs.ts';
import { canonicalJson } from '../../../json.ts';
import type { Amounts } from '../../../mesos/resources.ts';
import { add, amountsOf, contains, NOTHING, subtract, toResources } from '../../../mesos/resources.ts';
import type { Offer, Resource, TaskInfo } from '../../../mesos/types.ts';
import type { App } from '../../domain/app.ts';
import { sharedExecutorOf } from '../../domain/executor.ts';
import { createState, type State } from '../../domain/state.ts';
import type { Decision, Input } from '../inputs.ts';
import { step } from '../step.ts';
import { checkStages, fill, openBin, tryFit } from './bin.ts';
import { findNearest } from './nearest.ts';
import { handleOffers } from './offers.ts';
import { wantOf } from './want.ts';

vi.setConfig({ testTimeout: timeLimit(60_000) });

const ROLE = 'eng';
const IDENTITIES: Omit<Resource, 'name' | 'type'>[] = [
  { role: '*', allocation_info: { role: ROLE } },
  { role: ROLE, allocation_info: { role: ROLE } },
  { role: ROLE, reservation: { principal: 'p' }, allocation_info: { role: ROLE } },
  { role: 'other', allocation_info: { role: ROLE } },
];

function mine() {
  const dockerExecutor = sharedExecutorOf({ path: '/x', cluster: 'c', role: ROLE }, () => 'f'.repeat(64));
  return settings({ role: ROLE, dockerExecutor });
}

const resource: fc.Arbitrary<Resource[]> = fc
  .record({
    identity: fc.constantFrom(...IDENTITIES),
    cpus: fc.integer({ min: 0, max: 4000 }),
    mem: fc.constantFrom(0, 16, 64, 200),
    gpus: fc.constantFrom(0, 0, 1),
    begin: fc.constantFrom(80, 31_000, 31_005),
    ports: fc.nat(4),
  })
  .map(({ identity, cpus, mem, gpus, begin, ports }) => [
    { name: 'cpus', type: 'SCALAR', scalar: { value: cpus / 1000 }, ...identity },
    { name: 'mem', type: 'SCALAR', scalar: { value: mem }, ...identity },
    { name: 'gpus', type: 'SCALAR', scalar: { value: gpus }, ...identity },
    // Each role has its own ports: Mesos offers no port twice.
    ...(ports > 0
      ? [
          {
            name: 'ports',
            type: 'RANGES' as const,
            ranges: { range: [portsAt(begin, ports, identity)] },
            ...identity,
          },
        ]
      : []),
  ]);

function portsAt(begin: number, howMany: number, identity: object): { begin: number; end: number } {
  const first = begin + 100 * IDENTITIES.indexOf(identity);
  return { begin: first, end: first + howMany - 1 };
}

const offer = fc.record({
  resources: fc.uniqueArray(resource, {
    maxLength: 3,
    selector: ([first]) => canonicalJson(identityOf(first)),
  }),
  rack: fc.constantFrom('a', 'b', 'c', undefined),
});

const offers: fc.Arbitrary<Offer[]> = fc.array(offer, { minLength: 1, maxLength: 6 }).map((all) =>
  all.map(({ resources, rack }, i) => ({
    id: { value: `o${i}` },
    framework_id: { value: 'f' },
    agent_id: { value: `S${i}` },
    hostname: `h${i}`,
    attributes: rack === undefined ? [] : [{ name: 'rack', type: 'TEXT', text: { value: rack } }],
    resources: resources.flat(),
  })),
);

const app: fc.Arbitrary<App> = fc
  .record({
    cpus: fc.constantFrom(0.001, 0.1, 0.333, 1),
    mem: fc.constantFrom(0, 8, 50),
    gpus: fc.constantFrom(0, 0, 0, 1),
    instances: fc.integer({ min: 1, max: 12 }),
    docker: fc.boolean(),
    roles: fc.constantFrom(undefined, ['*'], [ROLE], [ROLE, '*']),
    ports: fc.constantFrom([], [{}], [{}, {}], [{ port: 80 }], [{ port: 31_101 }, {}]),
    constraints: fc.subarray<[string, string, string?]>([
      ['hostname', 'UNIQUE'],
      ['rack', 'GROUP_BY', '2'],
      ['rack', 'MAX_PER', '3'],
      ['rack', 'UNLIKE', 'c'],
      ['hostname', 'GROUP_BY'],
    ]),
    mode: fc.constantFrom('service', 'service', 'daemon'),
  })
  .map(({ docker, roles, ports, constraints, ...more }) =>
    appV2({
      ...more,
      constraints: constraints.map((one) => one.filter((part) => part !== undefined)),
      portDefinitions: ports,
      requirePorts: ports.some((one) => 'port' in one),
      ...(roles && { acceptedResourceRoles: roles }),
      ...(docker && { container: { docker: { image: 'x' } } }),
    }),
  );

const apps = fc.array(app, { minLength: 1, maxLength: 4 });

function identityOf(resource: Resource | undefined): object {
  const { name: _name, type: _type, scalar: _scalar, ranges: _ranges, ...identity } = resource ?? {};
  return identity;
}

/** Amounts by the identity of the resources. */
function byIdentity(resources: readonly Resource[]): Map<string, Amounts> {
  const found = new Map<string, Resource[]>();
  for (const one of resources) {
    const key = canonicalJson(identityOf(one));
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return new Map([...found].map(([key, some]) => [key, amountsOf(some)]));
}

function startedWith(definitions: readonly App[]): State {
  const state = createState(mine());
  run(state, {
    type: 'mesos',
    event: { type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'f' } } },
  });
  for (const [i, one] of definitions.entries()) run(state, start({ ...one, id: `/app-${i}` }));
  return state;
}

function run(state: State, input: Input): Decision {
  const [outcome] = step(state, [input], 5).outcomes;
  if (!outcome || 'error' in outcome) throw outcome?.error;
  return outcome.decision;
}

function launchedBy({ calls }: Decision): TaskInfo[][] {
  return calls.flatMap((call) => (call.type === 'ACCEPT' ? [launchedTasks(call.accept.operations)] : []));
}

/** @returns the rest of an offer; @throws if more was taken than offered */
function rest(one: Offer, tasks: readonly TaskInfo[]): Offer {
  const executors = new Map<string, readonly Resource[]>();
  const running = new Set(one.executor_ids?.map(({ value }) => value));
  for (const { executor } of tasks) {
    if (!executor) continue;
    const id = executor.executor_id.value;
    const known = executors.get(id);
    // All tasks of an executor must have the same ExecutorInfo.
    if (known) expect(executor.resources).toEqual(known);
    executors.set(id, executor.resources ?? []);
  }
  const news = [...executors].filter(([id]) => !running.has(id)).flatMap(([, resources]) => resources);
  const taken = byIdentity([...tasks.flatMap(({ resources }) => resources), ...news]);
  const left = byIdentity(one.resources);
  for (const [key, amounts] of taken) {
    const had = left.get(key) ?? NOTHING;
    expect(contains(had, amounts)).toBe(true);
    left.set(key, subtract(had, amounts));
  }
  const resources = [...left].flatMap(([key, amounts]) =>
    toResources(amounts, ROLE).map((resource) => ({
      ...resource,
      ...(JSON.parse(key) as object),
    })),
  );
  const executorIds = [...running, ...executors.keys()].map((value) => ({ value }));
  return { ...one, resources, executor_ids: executorIds };
}

it('takes only offered resources of accepted roles', () => {
  fc.assert(
    fc.property(apps, offers, (definitions, all) => {
      const state = startedWith(definitions);
      let now = all;
      for (let round = 0; round < 3; round += 1) {
        const decision = run(state, { type: 'mesos', event: { type: 'OFFERS', offers: { offers: now } } });
        const tasks = launchedBy(decision).flat();
        for (const task of tasks) {
          const accepted = state.tasks.get(task.task_id.value);
          const roles = state.apps.get(accepted?.appId ?? '')?.app.acceptedResourceRoles ?? ['*', ROLE];
          for (const { role } of task.resources) expect(roles).toContain(role);
          const total = task.resources.map((one) => amountsOf([one])).reduce(add, NOTHING);
          const owner = state.apps.get(accepted?.appId ?? '')?.app;
          expect(total.scalars.get('cpus')).toBe(Math.round((owner?.cpus ?? 0) * 1000));
          const ports = [...new Set(accepted?.ports)].sort((a, b) => a - b);
          expect(total.ranges.get('ports') ?? []).toEqual(
            amountsOf(
              ports.map((port) => ({
                name: 'ports',
                type: 'RANGES',
                ranges: { range: [{ begin: port, end: port }] },
              })),
            ).ranges.get('ports') ?? [],
          );
        }
        now = now.map((one) =>
          rest(
            one,
            tasks.filter(({ agent_id }) => agent_id.value === one.agent_id.value),
          ),
        );
      }
    }),
    { numRuns: runs(300) },
  );
});

it('satisfies constraints after every placement, and puts one task of a daemon on an agent', () => {
  fc.assert(
    fc.property(apps, fc.array(offers, { minLength: 1, maxLength: 3 }), (definitions, rounds) => {
      const state = startedWith(definitions);
      for (const round of rounds) {
        const before = new Map([...state.apps].map(([id, record]) => [id, [...record.tasks.values()]]));
        run(state, { type: 'mesos', event: { type: 'OFFERS', offers: { offers: round } } });
        for (const [id, record] of state.apps) {
          const placed = [...(before.get(id) ?? [])];
          for (const task of [...record.tasks.values()].slice(placed.length)) {
            const counts = (field: string) => {
              const values = placed.map((one) => one.fields?.[field] ?? '');
              return (value: string | undefined) => values.filter((one) => one === value).length;
            };
            for (const [field, operator, wanted] of record.app.constraints) {
              const here = counts(field)(task.fields?.[field]);
              const groups = [...new Set(placed.map((one) => one.fields?.[field]))].map(counts(field));
              if (operator === 'UNIQUE') expect(here).toBe(0);
              if (operator === 'MAX_PER') expect(here).toBeLessThan(Number(wanted));
              if (operator === 'UNLIKE') expect(task.fields?.[field]).not.toBe(wanted);
              if (operator === 'GROUP_BY')
                expect(here).toBeLessThanOrEqual(
                  groups.length < Number(wanted ?? 1) ? 0 : Math.min(...groups),
                );
            }
            if (record.app.mode === 'daemon')
              expect(placed.every(({ agentId }) => agentId !== task.agentId)).toBe(true);
            placed.push(task);
          }
        }
      }
    }),
    { numRuns: runs(300) },
  );
});

it('decides the same for equal offers and states', () => {
  fc.assert(
    fc.property(apps, offers, (definitions, all) => {
      const [one, other] = [startedWith(definitions), startedWith(definitions)];
      expect(handleOffers(one, all, 5)).toEqual(handleOffers(other, structuredClone(all), 5));
    }),
    { numRuns: runs(100) },
  );
});

it('uses an agent exactly if all checks pass, and reports why an app is waiting', () => {
  fc.assert(
    fc.property(apps, offers, (definitions, all) => {
      const state = startedWith(definitions);
      for (const [i, one] of all.entries()) {
        const bin = openBin(one, i, state);
        for (const definition of definitions) {
          const want = wantOf(definition, state.settings);
          const fit = tryFit(bin, want);
          const failed = checkStages(bin, want).find(({ ok }) => !ok)?.stage;
          expect(typeof fit === 'string' ? fit : undefined).toBe(failed);
          if (typeof fit !== 'string') fill(bin, want, fit);
        }
      }
      run(state, { type: 'mesos', event: { type: 'OFFERS', offers: { offers: all } } });
      for (const appId of state.waiting) {
        const record = state.apps.get(appId);
        expect(record?.refusals.size).toBeGreaterThan(0);
        for (const { checks } of record?.refusals.values() ?? []) {
          expect(checks.some(({ ok }) => !ok)).toBe(true);
          expect(checks.map(({ stage }) => stage)).toEqual([
            'roles',
            'cpus',
            'mem',
            'disk',
            'gpus',
            'ports',
            'constraints',
          ]);
        }
      }
    }),
    { numRuns: runs(300) },
  );
});

it('proposes a single change that would place the app', () => {
  fc.assert(
    fc.property(app, offers, (definition, all) => {
      const single = { ...definition, instances: 1, mode: 'service' as const };
      const state = startedWith([single]);
      run(state, { type: 'mesos', event: { type: 'OFFERS', offers: { offers: all } } });
      const record = state.apps.get('/app-0');
      const near = record && findNearest(record.refusals);
      const remedy = near?.remedy;
      if (!remedy) return;
      const changed = changedBy(single, remedy);
      const again = startedWith([changed]);
      const there = all.filter(({ agent_id }) => agent_id.value === near.agentId);
      run(again, { type: 'mesos', event: { type: 'OFFERS', offers: { offers: there } } });
      expect(again.tasks.size).toBe(1);
    }),
    { numRuns: runs(500) },
  );
});

type Remedy = NonNullable<NonNullable<ReturnType<typeof findNearest>>['remedy']>;

function changedBy(definition: App, remedy: Remedy): App {
  switch (remedy.field) {
    case 'constraints': {
      const gone = JSON.stringify(remedy.without);
      const constraints = definition.constraints.filter((one) => JSON.stringify(one) !== gone);
      return { ...definition, constraints };
    }
    case 'hostPorts':
      return { ...definition, requirePorts: false };
    case 'ports':
      // Ports without a fixed number are left out first.
      return {
        ...definition,
        portDefinitions: definition.portDefinitions.toSorted((a, b) => b.port - a.port).slice(0, remedy.to),
      };
    case 'acceptedResourceRoles':
      return { ...definition, acceptedResourceRoles: [...remedy.to] };
    default:
      return { ...definition, [remedy.field]: remedy.to };
  }
}
