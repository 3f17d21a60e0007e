import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusterOf, hostOf, planInput } from '../../test/install/hosts.ts';
import { anyCluster, anyHosts } from '../../test/install/random-cluster.ts';
import { scenarios, wantedOf } from '../../test/install/scenarios.ts';
import { runs } from '../../test/support/runs.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { Resource } from './resources.ts';
import { probeTargets } from './targets.ts';
import { wantedResources } from './wanted/wanted.ts';

/** Whatever is wanted has to have been looked at, or it would be made again and again. */
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
    // What must not lie in a directory is seen only with all that is in it.
    if (resource.kind === 'directory' && resource.only) {
      expect(targets.trees.some((tree) => `${resource.path}/`.startsWith(`${tree}/`))).toBe(true);
    }
  }
}

test('a probe looks at all that may be wanted', () => {
  const any = anyCluster.chain((cluster) =>
    fc.record({ cluster: fc.constant(cluster), facts: anyHosts(cluster) }),
  );
  fc.assert(
    fc.property(any, ({ cluster, facts }) => {
      for (const host of cluster.hosts) {
        expectCovered(cluster, host, wantedResources({ ...planInput(cluster, facts), host, running: true }));
      }
    }),
    { numRuns: runs(40) },
  );
});

test.each(Object.entries(scenarios))('and at all of %s', (name, { cluster }) => {
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error(name);
  expectCovered(cluster, host, wantedOf(name));
});

test('health is asked for the roles a host has, at an address that is known', () => {
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

test('whoever logs in is looked up, and no path or name stands twice', () => {
  const host = hostOf('h1', { connection: { kind: 'ssh', user: 'ann' } });
  const targets = probeTargets(clusterOf([host]), host);
  expect(targets.users).toContain('ann');
  for (const list of [targets.files, targets.trees, targets.packages, targets.services]) {
    expect(new Set(list).size).toBe(list.length);
  }
});
