import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bareFacts, clusterOf, hostOf, planInput, secrets, sha256 } from '../../test/install/hosts.ts';
import { applyToFacts } from '../../test/install/model-host.ts';
import { anyCluster, anyHosts } from '../../test/install/random-cluster.ts';
import { recorded, reported, unseenReads } from '../../test/install/recorded-facts.ts';
import { scenarios, wantedOf } from '../../test/install/scenarios.ts';
import { runs } from '../../test/support/runs.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import { clusterHealth } from './health.ts';
import { mesosLayout } from './layout.ts';
import { planCluster } from './plan-cluster.ts';
import { preflight } from './preflight/preflight.ts';
import type { ProbeTargets, Targets } from './probe-targets.ts';
import { diffResource, type Resource, resourceId, resourceTargets } from './resources/registry.ts';
import { probeTargets, probeTargetsIn } from './targets.ts';
import type { FactsByHost } from './topology.ts';
import { versionsOf } from './upgrade/targets.ts';
import { upgradePlan } from './upgrade/upgrade-plan.ts';
import { wantedResources } from './wanted/wanted.ts';
import { waves } from './waves.ts';

/** Every wanted resource must be a target, or each run would make it again. */
function expectCovered(cluster: Cluster, host: ClusterHost, wanted: readonly Resource[]): void {
  const targets = probeTargets(cluster, host);
  const files = new Set(targets.files);
  const seen = (path: string) =>
    files.has(path) || targets.trees.some((tree) => path === tree || path.startsWith(`${tree}/`));
  for (const resource of wanted) {
    if ('path' in resource) expect(seen(resource.path), resource.path).toBe(true);
    if (resource.kind === 'package') expect(targets.packages).toContain(resource.name);
    if (resource.kind === 'user') expect(targets.users).toContain(resource.name);
    if (resource.kind === 'service') expect(targets.services).toContain(resource.name);
    // Strays are found only if the directory is read recursively.
    if (resource.kind === 'directory' && resource.only) {
      expect(targets.trees.some((tree) => `${resource.path}/`.startsWith(`${tree}/`))).toBe(true);
    }
  }
}

/** Each resource declares everything that its diff reads, and the probe reads it. */
function expectDiffsCovered({ cluster, host, facts, wanted }: Wanted): void {
  const targets = probeTargets(cluster, host);
  const ids = new Set(wanted.map(resourceId));
  const agent = { service: mesosLayout(cluster, facts).agent.service, hasRun: true };
  const unseen = wanted.flatMap((resource) => {
    const { facts: seen, reads } = recorded(facts);
    diffResource(resource, { facts: seen, secrets, sha256, wanted: ids, agent, before: [] });
    const own = resourceTargets(resource);
    // Listing all files is only allowed within a directory that is read recursively.
    const listed = reads.listed.has('files') && !('path' in resource && own.trees?.includes(resource.path));
    return [
      ...[...unseenReads(reads, own), ...(listed ? ['files *'] : [])].map((one) => `its targets lack ${one}`),
      ...[...unseenReads(reads, targets), ...unseenTrees(own, targets)].map((one) => `no probe sees ${one}`),
    ].map((one) => `${resourceId(resource)}: ${one}`);
  });
  expect(unseen).toEqual([]);
}

function unseenTrees(own: Targets, { trees }: ProbeTargets): string[] {
  const isSeen = (path: string) => trees.some((tree) => `${path}/`.startsWith(`${tree}/`));
  return (own.trees ?? []).filter((path) => !isSeen(path)).map((path) => `all in ${path}`);
}

interface Wanted {
  readonly cluster: Cluster;
  readonly host: ClusterHost;
  readonly facts: Facts;
  readonly wanted: readonly Resource[];
}

/** Each stores keys in another form. */
const anySystem = fc.constantFrom(
  ['ubuntu', '14.04'],
  ['ubuntu', '16.04'],
  ['ubuntu', '24.04'],
  ['debian', '13'],
);

const anyWithHosts = anyCluster.chain((cluster) =>
  fc.record({
    cluster: fc.constant(cluster),
    facts: fc.tuple(anyHosts(cluster), anySystem).map(([facts, [id = '', version = '']]) => {
      const system = { id, version, codename: '', name: '' };
      return new Map([...facts].map(([name, own]) => [name, { ...own, system }] as const));
    }),
    installed: fc.boolean(),
  }),
);

/** Bare or installed hosts. */
function hostsOf({
  cluster,
  facts,
  installed,
}: {
  cluster: Cluster;
  facts: FactsByHost;
  installed: boolean;
}) {
  if (!installed) return facts;
  const { hosts } = planCluster(planInput(cluster, facts, { start: true }));
  return new Map(
    hosts.map((plan) => {
      const own = facts.get(plan.host);
      if (own === undefined) throw new Error(plan.host);
      return [plan.host, applyToFacts(own, plan)];
    }),
  );
}

test('a probe reads all resources that may be wanted', () => {
  fc.assert(
    fc.property(anyWithHosts, (one) => {
      const { cluster } = one;
      const facts = hostsOf(one);
      for (const host of cluster.hosts) {
        const own = facts.get(host.name);
        if (own === undefined) throw new Error(host.name);
        const wanted = wantedResources({ ...planInput(cluster, facts), host, running: true });
        expectCovered(cluster, host, wanted);
        expectDiffsCovered({ cluster, host, facts: own, wanted });
      }
    }),
    { numRuns: runs(40) },
  );
});

test('a probe reads everything that checks, wanted state, waves and upgrades need', () => {
  fc.assert(
    fc.property(anyWithHosts, (one) => {
      const { cluster } = one;
      const targetsOf = probeTargetsIn(cluster);
      const targets = new Map(cluster.hosts.map((host) => [host.name, targetsOf(host)]));
      const all = new Map(
        [...hostsOf(one)].map(([name, own]) => [name, recorded(reported(own, targets.get(name) ?? {}))]),
      );
      const facts = new Map([...all].map(([name, { facts: own }]) => [name, own]));
      preflight({ cluster, facts, payload: { bytes: 1 } });
      clusterHealth(cluster, facts);
      const plan = planCluster(planInput(cluster, facts, { start: true }));
      waves(cluster, plan, facts);
      upgradePlan({ cluster, plan, facts, agents: undefined, sha256: () => '' });
      for (const host of cluster.hosts) {
        const own = facts.get(host.name);
        if (own) versionsOf(cluster, host, own, [], undefined);
      }
      const unseen = [...all].flatMap(([name, { reads }]) => unseenReads(reads, targets.get(name) ?? {}));
      expect(unseen).toEqual([]);
    }),
    { numRuns: runs(40) },
  );
});

test('a host has the same targets after other hosts of its cluster', () => {
  const cluster = clusterOf([
    hostOf('h1', { roles: ['agent'] }),
    hostOf('h2', { connection: { kind: 'ssh', user: 'ann' } }),
    hostOf('h3', { agentFlags: { work_dir: '/data/agent' } }),
    hostOf('h4', { address: '10.0.0.4', hostname: 'four' }),
  ]);
  const targetsOf = probeTargetsIn(cluster);
  for (const host of cluster.hosts) expect(targetsOf(host)).toEqual(probeTargets(cluster, host));
});

test.each(Object.entries(scenarios))('a probe reads all resources of %s', (name, { cluster, facts }) => {
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error(name);
  const wanted = wantedOf(name);
  expectCovered(cluster, host, wanted);
  expectDiffsCovered({ cluster, host, facts: bareFacts('10.0.0.1', facts), wanted });
});

test('reads the health of the roles of a host, at a known address', () => {
  const cluster = clusterOf([hostOf('h1', { roles: ['agent'], address: '10.0.0.1' }), hostOf('h2')]);
  const [first, second] = cluster.hosts;
  if (!first || !second) throw new Error('two hosts');
  expect(probeTargets(cluster, first).health).toEqual({
    address: '10.0.0.1',
    agent: 5051,
    agentWorkDir: '/var/lib/mesos/agent',
  });
  expect(probeTargets(cluster, first).ports).toEqual([5051]);
  expect(probeTargets(cluster, second).health).toMatchObject({
    zookeeper: 2181,
    master: 5050,
    scheduler: 8080,
  });
  expect(probeTargets(cluster, second).health.address).toBeUndefined();
});

test('reads the login user, and has no duplicate paths or names', () => {
  const host = hostOf('h1', { connection: { kind: 'ssh', user: 'ann' } });
  const targets = probeTargets(clusterOf([host]), host);
  expect(targets.users).toContain('ann');
  for (const list of [targets.files, targets.trees, targets.packages, targets.services]) {
    expect(new Set(list).size).toBe(list.length);
  }
});
