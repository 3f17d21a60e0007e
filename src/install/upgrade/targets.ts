/** The versions that an upgrade brings to a host, as far as the host's apt has newer ones. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { UsageError } from '../../errors/mesosup-error.ts';
import type { Facts } from '../facts.ts';
import { installedPackage } from '../package-state.ts';
import type { Targets } from '../probe-targets.ts';
import type { PackageResource } from '../resources/package.ts';
import type { Resource } from '../resources/registry.ts';
import { AGENT_RETURNS, FORMER_PACKAGES } from '../script/places.ts';
import type { SimulationRequest } from '../simulation-request.ts';
import { meetsVersion } from '../versions.ts';
import { type Component, componentOfPackage, hasVersionOfComponent } from './component.ts';

/** What earlier upgrades have left on a host. */
export const UPGRADE_TARGETS: Targets = { files: [AGENT_RETURNS, FORMER_PACKAGES] };

export interface UpgradeChoice {
  /** Upgrade only this component. */
  readonly component?: Component | undefined;
  /** The version for the packages of that component. */
  readonly to?: string | undefined;
}

/** A package, or mesosup itself, on a host. */
export interface HostVersion {
  readonly host: string;
  readonly component: Component;
  readonly name: string;
  readonly from: string;
  /** The same as `from` if nothing newer is available. */
  readonly to: string;
  /** The version before the last change by mesosup, if it is known. */
  readonly former?: string;
}

/** @throws UsageError for a component without packages, and for a version that the spec contradicts */
export function checkChoice({ mesos, docker }: Cluster, { component, to }: UpgradeChoice): void {
  const source = component === 'mesos' ? mesos : component === 'docker' ? docker : undefined;
  if (source?.kind === 'preinstalled') {
    throw new UsageError(`${component} is preinstalled on the hosts: mesosup does not upgrade it`, {
      remedy: 'Upgrade it yourself, or set another source for it in cluster.yaml.',
    });
  }
  if (to === undefined || component === undefined || component === 'mesosup') return;
  if (source?.kind === 'package') {
    throw new UsageError(`--to can't choose a version: cluster.yaml names a package file for ${component}`, {
      remedy: `Name another file in cluster.yaml, and leave out --to.`,
    });
  }
  const pinned = source !== undefined && 'version' in source ? source.version : undefined;
  if (pinned !== undefined && !meetsVersion(to, pinned)) {
    throw new UsageError(`--to is "${to}", but cluster.yaml sets the version ${pinned} of ${component}`, {
      remedy: `Change ${component}.version in cluster.yaml, and leave out --to.`,
    });
  }
}

/** Returns the installed packages that the choice includes, as a request to the host's apt. */
export function upgradeRequest(
  cluster: Cluster,
  facts: Facts,
  wanted: readonly Resource[],
  { component, to }: UpgradeChoice,
): SimulationRequest['packages'] {
  return wanted.flatMap((one) => {
    if (one.kind !== 'package' || one.file !== undefined) return [];
    const of = componentOfPackage(one.name, cluster);
    if (of === undefined || (component !== undefined && of !== component)) return [];
    if (installedPackage(facts, one.name) === undefined) return [];
    const version = (hasVersionOfComponent(one.name) ? to : undefined) ?? one.version;
    return [{ name: one.name, ...(version !== undefined && { version }) }];
  });
}

/** Sets the version of packages for which apt has another one than is installed. */
export function withTargets(
  wanted: readonly Resource[],
  facts: Facts,
  requested: SimulationRequest['packages'],
): Resource[] {
  const names = new Set(requested.map(({ name }) => name));
  return wanted.map((one): Resource => {
    if (one.kind !== 'package' || !names.has(one.name)) return one;
    const to = targetOf(one, facts);
    return to === undefined ? one : { ...one, version: to };
  });
}

function targetOf({ name }: Pick<PackageResource, 'name'>, facts: Facts): string | undefined {
  const candidate = facts.apt?.candidates?.[name];
  return candidate === installedPackage(facts, name)?.version ? undefined : candidate;
}

/** Lists the versions on a host, with those that the upgrade brings. */
export function versionsOf(
  cluster: Cluster,
  { name: host }: ClusterHost,
  facts: Facts,
  requested: SimulationRequest['packages'],
  payload: string | undefined,
): HostVersion[] {
  const former = formerVersions(facts);
  const { current } = facts.mesosup;
  const own: HostVersion[] =
    payload === undefined || current === ''
      ? []
      : [{ host, component: 'mesosup', name: 'mesosup', from: current, to: payload }];
  const packages = requested.flatMap(({ name }): HostVersion[] => {
    const from = installedPackage(facts, name)?.version;
    const component = componentOfPackage(name, cluster);
    if (from === undefined || component === undefined) return [];
    const before = former.get(name);
    return [
      {
        host,
        component,
        name,
        from,
        to: targetOf({ name }, facts) ?? from,
        ...(before !== undefined && before !== from && { former: before }),
      },
    ];
  });
  return [...own, ...packages];
}

/** Reads the versions of packages before their last change by mesosup. */
export function formerVersions({ files }: Pick<Facts, 'files'>): ReadonlyMap<string, string> {
  const text = files[FORMER_PACKAGES]?.text ?? '';
  return new Map(
    text.split('\n').flatMap((line) => {
      const [name, version] = line.split(' ');
      return name && version ? [[name, version] as const] : [];
    }),
  );
}
