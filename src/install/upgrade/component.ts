/** The components that an upgrade can be limited to, and the component of each item of a plan. */

import type { Cluster } from '../../cluster/cluster.ts';
import { idParts } from '../item.ts';
import { CLUSTERD_PACKAGE, LEGACY_PACKAGE, mesosPackage, PACKAGED_LAYOUTS } from '../layout.ts';
import type { PlanItem } from '../plan.ts';
import { DOCKER_SERVICE } from '../wanted/docker.ts';
import { ZOOKEEPER_PACKAGE, ZOOKEEPER_SERVICE } from '../wanted/zookeeper.ts';

export const COMPONENTS = ['mesosup', 'zookeeper', 'mesos', 'docker'] as const;

export type Component = (typeof COMPONENTS)[number];

const PACKAGES: Readonly<Record<Exclude<Component, 'mesosup'>, readonly string[]>> = {
  zookeeper: [ZOOKEEPER_PACKAGE],
  mesos: [CLUSTERD_PACKAGE, LEGACY_PACKAGE],
  docker: ['docker.io', 'docker-cli', 'docker-ce', 'docker-ce-cli', 'containerd.io'],
};

const SERVICES: Readonly<Record<string, Component>> = {
  [ZOOKEEPER_SERVICE]: 'zookeeper',
  [DOCKER_SERVICE]: 'docker',
  ...Object.fromEntries(
    PACKAGED_LAYOUTS.flatMap(({ master, agent }) => [master.service, agent.service]).map((name) => [
      name,
      'mesos' as const,
    ]),
  ),
};

/** Packages whose version follows that of the component. The others have versions of their own. */
const LED: Readonly<Record<string, boolean>> = { 'containerd.io': false };

/** Returns the component of a package; undefined for a package of none, for example a library. */
export function componentOfPackage(name: string, { mesos }: Pick<Cluster, 'mesos'>): Component | undefined {
  if (name === mesosPackage(mesos)) return 'mesos';
  return COMPONENTS.find((one) => one !== 'mesosup' && PACKAGES[one].includes(name));
}

/** True of a package that `--to` sets the version of. */
export function hasVersionOfComponent(name: string): boolean {
  return LED[name] ?? true;
}

/**
 * Assigns each item of a host's plan to a component: packages and services by their names, other items to the service
 * that reads them, and all that remains to mesosup.
 */
export function componentsOf(items: readonly PlanItem[], cluster: Pick<Cluster, 'mesos'>): Component[] {
  const readers = new Map<string, Component>();
  for (const { resource } of items) {
    if (resource?.kind !== 'service') continue;
    const component = SERVICES[resource.name] ?? 'mesosup';
    for (const id of resource.restartOn) if (!readers.has(id)) readers.set(id, component);
  }
  const own = ({ id }: PlanItem): Component | undefined => {
    const { kind, name } = idParts(id);
    if (kind === 'service') return SERVICES[name] ?? 'mesosup';
    return (kind === 'package' ? componentOfPackage(name, cluster) : undefined) ?? readers.get(id);
  };
  return items.map((item, at) => {
    // apt removes it for the package that follows.
    const cause = item.byApt ? items.slice(at).find(({ byApt }) => !byApt) : item;
    return own(cause ?? item) ?? 'mesosup';
  });
}
