/** What the subjects leave on a host beside their resources: state, and what programs of packages make. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { CLUSTERD_PACKAGE, LEGACY_PACKAGE } from '../layout.ts';
import { STATE } from '../script/places.ts';
import { agentWorkDir, masterWorkDir, USUAL_STATE } from '../work-dirs.ts';
import type { Brought } from './context.ts';
import { DOCKER_BROUGHT, DOCKER_DATA } from './docker.ts';
import { SCHEDULER_STATE } from './scheduler.ts';
import { ZOOKEEPER_BROUGHT, ZOOKEEPER_DATA } from './zookeeper.ts';

const BROUGHT: readonly Brought[] = [...DOCKER_BROUGHT, ...ZOOKEEPER_BROUGHT];

/** State that no change of roles throws away; `uninstall --purge` does, where mesosup made the directory. */
export function dataDirectories(cluster: Cluster, host: ClusterHost): string[] {
  return [
    ...USUAL_STATE,
    masterWorkDir(cluster, host),
    agentWorkDir(cluster, host),
    STATE,
    SCHEDULER_STATE,
    ZOOKEEPER_DATA,
    DOCKER_DATA,
  ];
}

/** True of a directory of data, and of one that holds such a directory. */
export function holdsData(data: readonly string[], path: string): boolean {
  return data.some((one) => `${one}/`.startsWith(`${path}/`));
}

/** What the package's programs made that is nobody's data. */
export function tracesOf(name: string): readonly string[] {
  return BROUGHT.find(({ packages }) => packages.includes(name))?.traces ?? [];
}

/** What the package leaves in place even when it is purged. */
export function dataOf(name: string): readonly string[] {
  return BROUGHT.find(({ packages }) => packages.includes(name))?.data ?? [];
}

/** The packages that the service may be of. */
export function packagesOf(service: string): readonly string[] {
  return BROUGHT.find((one) => one.service === service)?.packages ?? [CLUSTERD_PACKAGE, LEGACY_PACKAGE];
}
