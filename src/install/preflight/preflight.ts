/** Runs all preflight checks. Every problem is reported at once, with its remedy. */

import type { Cluster } from '../../cluster/cluster.ts';
import { hostsWith } from '../../cluster/topology.ts';
import { memberProblems, sizeProblems } from '../member-change.ts';
import { installedPackage } from '../package-state.ts';
import type { Problem } from '../plan.ts';
import { quorumProblems } from '../quorum.ts';
import { ZOOKEEPER_PACKAGE } from '../wanted/zookeeper.ts';
import { diskCheck, memoryCheck, mountCheck } from './capacity.ts';
import { type HostCheck, type PreflightInput, warning } from './check.ts';
import { clockCheck } from './clock.ts';
import { flagCheck } from './flags.ts';
import { haproxyCheck } from './haproxy.ts';
import { addressCheck, duplicateCheck, portCheck, unknownMembers } from './network.ts';
import { lossCheck, packagesCheck } from './packages.ts';
import { clusterCheck, dockerCheck, dpkgCheck, mesosCheck, otherDockerCheck } from './software.ts';
import { cgroupCheck, initCheck, runtimeCheck, systemCheck } from './system.ts';

const HOST_CHECKS: readonly HostCheck[] = [
  clusterCheck,
  systemCheck,
  initCheck,
  runtimeCheck,
  cgroupCheck,
  memoryCheck,
  diskCheck,
  mountCheck,
  addressCheck,
  portCheck,
  dpkgCheck,
  mesosCheck,
  haproxyCheck,
  dockerCheck,
  otherDockerCheck,
  packagesCheck,
  lossCheck,
];

/**
 * Errors prevent changes to a host, warnings don't.
 *
 * @returns the problems, in the spec's order of hosts
 */
export function preflight(input: PreflightInput): Problem[] {
  const { cluster, facts } = input;
  const problems = [
    ...cluster.hosts.flatMap((host) => {
      const own = facts.get(host.name);
      return own === undefined ? [] : HOST_CHECKS.flatMap((check) => check({ ...input, host, own }));
    }),
    ...unknownMembers(input),
    ...duplicateCheck(input),
    ...clockCheck(input),
    ...flagCheck(input),
    ...ensembleCheck(cluster, input),
    ...quorumProblems(cluster, facts, input.member),
    ...sizeProblems(cluster, facts),
    ...memberProblems(cluster, facts, input.member),
  ];
  const order = new Map(cluster.hosts.map(({ name }, index) => [name, index]));
  return problems.toSorted((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0));
}

/** ZooKeeper supports servers of different versions in one ensemble only during a rolling upgrade. */
function ensembleCheck(cluster: Cluster, { facts }: PreflightInput): Problem[] {
  const versions = hostsWith(cluster, 'zookeeper').flatMap(({ name }) => {
    const own = facts.get(name);
    const found = own && installedPackage(own, ZOOKEEPER_PACKAGE);
    return found ? [{ name, version: /^(?:\d+:)?(\d+\.\d+)/.exec(found.version)?.[1] ?? found.version }] : [];
  });
  const first = versions[0];
  return versions
    .filter(({ version }) => version !== first?.version)
    .map(({ name, version }) =>
      warning(
        name,
        'zookeeper',
        `its ZooKeeper is ${version}, but ${first?.name} has ${first?.version}`,
        'Upgrade all hosts of the ensemble to the same release of Debian or Ubuntu.',
      ),
    );
}
