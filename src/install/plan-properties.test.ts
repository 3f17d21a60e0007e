import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planInput, secrets } from '../../test/install/hosts.ts';
import { applyToFacts } from '../../test/install/model-host.ts';
import { anyCluster, anyHosts } from '../../test/install/random-cluster.ts';
import { runs } from '../../test/support/runs.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import type { Plan, PlanItem } from './plan.ts';
import { planCluster } from './plan-cluster.ts';
import { renderPlan } from './render-plan.ts';

const clusterWithHosts = anyCluster.chain((cluster) =>
  fc.record({ cluster: fc.constant(cluster), facts: anyHosts(cluster), start: fc.boolean() }),
);

function applied(plan: Plan, facts: ReadonlyMap<string, Facts>): Map<string, Facts> {
  return new Map(
    [...facts].map(([name, own]) => {
      const host = plan.hosts.find((one) => one.host === name);
      return [name, host ? applyToFacts(own, host) : own];
    }),
  );
}

function titles(plan: Plan): string[] {
  return plan.hosts.flatMap(({ host, items }) => items.map((item) => `${host} ${item.action} ${item.id}`));
}

function settled(cluster: Cluster, facts: ReadonlyMap<string, Facts>, start: boolean): Map<string, Facts> {
  return applied(planCluster(planInput(cluster, facts, { start })), facts);
}

test('after a plan is applied, the next plan is empty', () => {
  fc.assert(
    fc.property(clusterWithHosts, ({ cluster, facts, start }) => {
      const after = settled(cluster, facts, start);
      expect(titles(planCluster(planInput(cluster, after)))).toEqual([]);
    }),
    { numRuns: runs(60) },
  );
});

test('an unreachable host does not affect the other hosts of an installed cluster', () => {
  fc.assert(
    fc.property(clusterWithHosts, fc.nat(), ({ cluster, facts, start }, index) => {
      const after = settled(cluster, facts, start);
      const masters = cluster.hosts.filter(({ roles }) => roles.includes('master'));
      const away = cluster.hosts[index % cluster.hosts.length]?.name ?? '';
      // A cluster without its only master has no plan.
      fc.pre(masters.length > 1 || masters[0]?.name !== away);
      after.delete(away);
      expect(titles(planCluster(planInput(cluster, after)))).toEqual([]);
    }),
    { numRuns: runs(60) },
  );
});

test('one plan changes any cluster to any other spec', () => {
  const two = anyCluster.chain((next) => clusterWithHosts.map((first) => ({ ...first, next })));
  fc.assert(
    fc.property(two, ({ cluster, facts, start, next }) => {
      const before = settled(cluster, facts, start);
      const known = new Map([...before].filter(([name]) => next.hosts.some((host) => host.name === name)));
      const hosts = next.hosts.filter(({ name }) => known.has(name));
      const smaller = { ...next, hosts };
      const after = settled(smaller, known, false);
      expect(titles(planCluster(planInput(smaller, after)))).toEqual([]);
    }),
    { numRuns: runs(60) },
  );
});

test('the next run completes an interrupted run', () => {
  fc.assert(
    fc.property(clusterWithHosts, fc.nat({ max: 120 }), ({ cluster, facts }, count) => {
      const plan = planCluster(planInput(cluster, facts, { start: true }));
      const broken = new Map(
        plan.hosts.map((host) => [host.host, applyToFacts(facts.get(host.host) as Facts, host, count)]),
      );
      const after = settled(cluster, broken, true);
      expect(titles(planCluster(planInput(cluster, after, { start: true })))).toEqual([]);
    }),
    { numRuns: runs(40) },
  );
});

test('start and stop change only services and the record of the state', () => {
  fc.assert(
    fc.property(clusterWithHosts, ({ cluster, facts }) => {
      const running = settled(cluster, facts, true);
      const stop = planCluster(planInput(cluster, running, { command: 'stop' }));
      const touched = stop.hosts.flatMap(({ items }) => items.map(({ action, id }) => `${action} ${id}`));
      for (const one of touched) expect(one).toMatch(/^(stop service:|remove file:.*\/started$)/);
      expect(touched.some((one) => one.includes('service:docker'))).toBe(false);
      const stopped = applied(stop, running);
      expect(titles(planCluster(planInput(cluster, stopped, { command: 'stop' })))).toEqual([]);
      expect(titles(planCluster(planInput(cluster, stopped)))).toEqual([]);
      const start = planCluster(planInput(cluster, stopped, { command: 'start' }));
      for (const one of start.hosts.flatMap(({ items }) =>
        items.map(({ action, id }) => `${action} ${id}`),
      )) {
        expect(one).toMatch(/^(start service:|create file:.*\/started$)/);
      }
    }),
    { numRuns: runs(40) },
  );
});

test('the prerequisites of an item come before it', () => {
  fc.assert(
    fc.property(clusterWithHosts, ({ cluster, facts }) => {
      for (const { items } of planCluster(planInput(cluster, facts, { start: true })).hosts) {
        const at = (id: string) => items.findIndex((item) => item.id === id);
        for (const [index, item] of items.entries()) {
          for (const id of needs(item, items)) expect(at(id), `${id} before ${item.id}`).toBeLessThan(index);
        }
      }
    }),
    { numRuns: runs(40) },
  );
});

/** Ids of the items that must come before this one. */
function needs({ resource }: PlanItem, items: readonly PlanItem[]): string[] {
  const ids = (wanted: (other: NonNullable<PlanItem['resource']>) => boolean) =>
    items.flatMap((item) => (item.resource && wanted(item.resource) ? [item.id] : []));
  if (resource === undefined) return [];
  const above =
    'path' in resource
      ? ids((other) => other.kind === 'directory' && resource.path.startsWith(`${other.path}/`))
      : [];
  const owner =
    'owner' in resource
      ? ids((other) => other.kind === 'user' && other.name === resource.owner).concat(
          ids((other) => other.kind === 'package' && other.name === resource.owner),
        )
      : [];
  switch (resource.kind) {
    case 'package':
      if (resource.name === 'ca-certificates') return [];
      return ids((other) => other.kind === 'apt-key' || (other.kind === 'file' && other.aptSource === true));
    case 'service':
      return ids((other) => other.kind !== 'service');
    case 'link':
      return [...above, ...ids((other) => other.kind === 'payload')];
    default:
      return [...above, ...owner];
  }
}

test('a plan shows no secret, even if a host exposes one', () => {
  fc.assert(
    fc.property(clusterWithHosts, fc.boolean(), ({ cluster, facts, start }, colour) => {
      const first = planCluster(planInput(cluster, facts, { start }));
      const careless = new Map([...applied(first, facts)].map(([name, own]) => [name, opened(own)]));
      for (const plan of [first, planCluster(planInput(cluster, careless))]) {
        const shown = JSON.stringify(plan) + renderPlan(plan, { colour });
        for (const secret of Object.values(secrets)) expect(shown).not.toContain(secret);
      }
    }),
    { numRuns: runs(40) },
  );
});

/** Makes each file readable by all users, and adds secrets to daemon.json. */
function opened(facts: Facts): Facts {
  const all = Object.values(secrets).join(' ');
  const files = Object.entries(facts.files).map(([path, found]) => [
    path,
    found.type === 'file' ? { ...found, mode: '0644', text: `old ${all}`, sha256: 'other' } : found,
  ]);
  return { ...facts, files: Object.fromEntries(files) };
}

test('the order of the hosts in the spec does not matter', () => {
  fc.assert(
    fc.property(clusterWithHosts, ({ cluster, facts, start }) => {
      const backwards = { ...cluster, hosts: cluster.hosts.toReversed() };
      const one = planCluster(planInput(cluster, facts, { start }));
      const other = planCluster(planInput(backwards, new Map([...facts].toReversed()), { start }));
      expect(other.hosts.toReversed()).toEqual(one.hosts);
    }),
    { numRuns: runs(40) },
  );
});
