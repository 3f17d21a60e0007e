/** Clusters and hosts for tests of preflight checks. */

import type { Cluster, ClusterHost, MesosSource } from '../../src/cluster/cluster.ts';
import type { Facts } from '../../src/install/facts.ts';
import type { Problem } from '../../src/install/plan.ts';
import { preflight } from '../../src/install/preflight/preflight.ts';
import { bareFacts, bareHosts, clusterOf, hostOf, payload } from './hosts.ts';

/** Renders each problem as `HOST SEVERITY CHECK: MESSAGE`. */
export function render(problems: readonly Problem[]): string[] {
  return problems.map(({ host, severity, check, message }) => `${host} ${severity} ${check}: ${message}`);
}

/** Checks a cluster of one host, h1, with all roles that a single host can have. */
export function checkHost(
  facts: Partial<Facts>,
  changes: Partial<Cluster> = {},
  host: Partial<ClusterHost> = {},
): readonly Problem[] {
  const cluster = clusterOf([hostOf('h1', { roles: ['master', 'scheduler', 'agent'], ...host })], changes);
  return preflight({ cluster, facts: new Map([['h1', bareFacts('10.0.0.1', facts)]]), payload });
}

export const threeHosts = clusterOf(['h1', 'h2', 'h3'].map((name) => hostOf(name)));

/**
 * Checks `threeHosts`, and renders the problems.
 *
 * @param changes by host: what differs from a bare host
 * @param hosts by host: what differs in the spec
 */
export function checkThreeHosts(
  changes: Readonly<Record<string, Partial<Facts>>>,
  hosts: Readonly<Record<string, Partial<ClusterHost>>> = {},
): string[] {
  const facts = bareHosts(threeHosts);
  for (const [name, change] of Object.entries(changes)) {
    facts.set(name, bareFacts(`10.0.0.${name.slice(1)}`, change));
  }
  const changedHosts = threeHosts.hosts.map((host) => ({ ...host, ...hosts[host.name] }));
  return render(preflight({ cluster: { ...threeHosts, hosts: changedHosts }, facts, payload }));
}

/** Mesos from a package file. */
export const mesosFile: Extract<MesosSource, { kind: 'package' }> = {
  kind: 'package',
  from: { file: '/x/aventer-mesos_1.11.0_amd64.deb' },
  sha256: 'ab'.repeat(32),
};

export function systemFacts(id: string, version: string): Pick<Facts, 'system'> {
  return { system: { id, version, codename: 'x', name: `${id} ${version}` } };
}

export function installedPackage(version: string, status = 'install ok installed') {
  return { version, status };
}
