/** The versions of `versions.lock` for the hosts of a plan: recorded from what hosts took, and chosen for new hosts. */

import { isLockable, isSystem, type LockedPackage, type VersionsLock } from '../cluster/versions-lock.ts';
import type { AptFacts } from './apt-facts.ts';
import type { Facts } from './facts.ts';
import type { HostFacts } from './host-facts.ts';
import type { PackageFile, Pin } from './package-file.ts';
import { installedPackage, packageNames } from './package-state.ts';
import type { HostPlan, Plan } from './plan.ts';
import type { Resource } from './resources/registry.ts';
import type { FactsByHost } from './topology.ts';
import { meetsVersion } from './versions.ts';

/** A version of the lock that a plan does not take. */
export interface MovedVersion {
  /** `mesosup` for the payload. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly host: string;
}

/** Hosts with the same system can take the same package files: `debian-12-amd64`. */
export function lockSystem({ system, arch }: Pick<HostFacts, 'system' | 'arch'>): string {
  return [system.id, system.version || system.codename, arch].filter((word) => word !== '').join('-');
}

/**
 * Adds what the hosts took. Of two versions the one that was taken last counts: hosts that were upgraded later than
 * others decide. A package that its owner has changed to another version on every host is left out, since a new host
 * would get neither.
 */
export function lockWith(lock: VersionsLock, facts: FactsByHost): VersionsLock {
  const systems = new Map([...lock.systems].map(([system, packages]) => [system, new Map(packages)]));
  const bySystem = Map.groupBy(facts.values(), lockSystem);
  for (const [system, hosts] of bySystem) {
    if (!isSystem(system)) continue;
    const packages = systems.get(system) ?? new Map<string, LockedPackage>();
    const all = hosts.flatMap(({ mesosup }) => mesosup.taken ?? []);
    for (const [name, found] of Map.groupBy(all, (one) => one.name)) {
      const own = found.filter((one) => isLockable(name, one));
      if (own.length === 0) packages.delete(name);
      for (const { version, sha256, taken } of own) {
        const known = packages.get(name);
        const isGone = known && !own.some((one) => one.version === known.version);
        if (known === undefined || isGone || known.taken < taken)
          packages.set(name, { version, sha256, taken });
      }
    }
    if (packages.size > 0) systems.set(system, packages);
    else systems.delete(system);
  }
  return { ...lock, systems };
}

/**
 * Returns the versions of the lock for a host, sorted by name. Packages for which the spec wants another version, or a
 * file, are left out.
 */
export function pinsFor(lock: VersionsLock, facts: Facts, wanted: readonly Resource[]): Pin[] {
  const chosen = new Map(wanted.flatMap((one) => (one.kind === 'package' ? [[one.name, one] as const] : [])));
  const packages = [...(lock.systems.get(lockSystem(facts)) ?? [])];
  return packages
    .filter(([name, { version }]) => {
      const own = chosen.get(name);
      return own?.file === undefined && meetsVersion(version, own?.version);
    })
    .map(([name, { version, sha256 }]) => ({ name, version, sha256 }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Sets the version of pinned packages that the host lacks. Packages that are there keep their version, and package files
 * stay unless they are pinned themselves, as in a bundle.
 */
export function withPins(wanted: readonly Resource[], facts: Facts, pins: readonly Pin[]): Resource[] {
  const known = new Map(pins.map((pin) => [pin.name, pin]));
  return wanted.map((one): Resource => {
    const pin = one.kind === 'package' ? known.get(one.name) : undefined;
    if (one.kind !== 'package' || pin === undefined || installedPackage(facts, one.name) !== undefined)
      return one;
    const { file, sha256, ...rest } = one;
    if (file !== undefined ? sha256 !== pin.sha256 : !meetsVersion(pin.version, one.version)) return one;
    return { ...rest, version: pin.version };
  });
}

/** Lists what the plan installs in another version than the lock has. */
export function movedVersions(lock: VersionsLock, plan: Plan, facts: FactsByHost): MovedVersion[] {
  return plan.hosts.flatMap((host): MovedVersion[] => {
    const own = facts.get(host.host);
    if (own === undefined) return [];
    const packages = lock.systems.get(lockSystem(own));
    const moved = [...installedBy(host, own)].flatMap(([name, to]): MovedVersion[] => {
      const from = name === PAYLOAD ? lock.payload?.version : packages?.get(name)?.version;
      return from === undefined || from === to ? [] : [{ name, from, to, host: host.host }];
    });
    return moved.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  });
}

/** The name of the payload among packages. */
const PAYLOAD = 'mesosup';

/** Lists missing pins that the plan needs: apt took another version, or found none. */
export function neededPins({ items, pins = [] }: HostPlan, apt: AptFacts): Pin[] {
  const isUnclear = apt.obstacles.some(({ kind }) => kind === 'unmet') || apt.failure !== '';
  const names = new Set([
    ...apt.changes.map(({ name }) => name),
    ...items.flatMap(({ resource }) => (resource?.kind === 'package' ? packageNames(resource.name) : [])),
  ]);
  return pins.filter(
    ({ name }) => apt.missingPins?.includes(name) === true && (isUnclear || names.has(name)),
  );
}

/** Lists the files of versions that the plan installs. */
export function neededFiles(files: readonly PackageFile[], plan: HostPlan, facts: Facts): PackageFile[] {
  const versions = installedBy(plan, facts);
  return files.filter(({ name, version }) => versions.get(name) === version);
}

/** By package, as far as the versions are known. */
function installedBy({ items }: HostPlan, { apt }: Facts): Map<string, string> {
  const found = new Map<string, string>();
  for (const { resource } of items) {
    if (resource?.kind === 'payload') found.set(PAYLOAD, resource.version);
    if (resource?.kind !== 'package') continue;
    for (const name of packageNames(resource.name)) {
      const version = apt?.candidates?.[name];
      if (version !== undefined) found.set(name, version);
    }
  }
  for (const { name, action, to } of apt?.changes ?? []) {
    if (action !== 'remove' && to !== undefined) found.set(name, to);
  }
  return found;
}
