/** State and files that stay on a host besides the resources: data, and files that programs of packages create. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { CLUSTERD_PACKAGE, LEGACY_PACKAGE } from '../layout.ts';
import { STATE } from '../script/places.ts';
import { agentWorkDir, DEFAULT_STATE_DIRECTORIES, masterWorkDir } from '../work-dirs.ts';
import type { Brought } from './context.ts';
import { DOCKER_BROUGHT, DOCKER_DATA } from './docker.ts';
import { LB_BROUGHT, LB_STATE } from './lb.ts';
import { SCHEDULER_STATE } from './scheduler.ts';
import { ZOOKEEPER_BROUGHT, ZOOKEEPER_DATA } from './zookeeper.ts';

const BROUGHT: readonly Brought[] = [...DOCKER_BROUGHT, ...ZOOKEEPER_BROUGHT, ...LB_BROUGHT];

/** Lists directories of data. A change of roles keeps them; `uninstall --purge` removes those that mesosup created. */
export function dataDirectories(cluster: Cluster, host: ClusterHost): string[] {
  return [
    ...DEFAULT_STATE_DIRECTORIES,
    masterWorkDir(cluster, host),
    agentWorkDir(cluster, host),
    STATE,
    SCHEDULER_STATE,
    LB_STATE,
    ZOOKEEPER_DATA,
    DOCKER_DATA,
  ];
}

/** True of a directory of data, and of its ancestors. */
export function holdsData(data: readonly string[], path: string): boolean {
  return data.some((one) => `${one}/`.startsWith(`${path}/`));
}

/** Lists files that the package's programs create, and that are not data. */
export function tracesOf(name: string): readonly string[] {
  return BROUGHT.find(({ packages }) => packages.includes(name))?.traces ?? [];
}

/** Lists data that the package leaves behind even when it is purged. */
export function dataOf(name: string): readonly string[] {
  return BROUGHT.find(({ packages }) => packages.includes(name))?.data ?? [];
}

/** Lists the packages that may contain the service. */
export function packagesOf(service: string): readonly string[] {
  return BROUGHT.find((one) => one.service === service)?.packages ?? [CLUSTERD_PACKAGE, LEGACY_PACKAGE];
}
