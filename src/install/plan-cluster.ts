/** Plans the changes of all hosts of a cluster. */

import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { Secrets } from '../cluster/secrets.ts';
import type { VersionsLock } from '../cluster/versions-lock.ts';
import { type BundleManifest, bundlePins } from './bundle/manifest.ts';
import type { Facts } from './facts.ts';
import { lockSystem, pinsFor, withPins } from './locked-versions.ts';
import type { PackageFile } from './package-file.ts';
import type { Plan } from './plan.ts';
import { planHost } from './plan-host.ts';
import type { ImageResource } from './resources/image.ts';
import type { Resource } from './resources/registry.ts';
import type { Templates } from './templates.ts';
import { chooseAddress, type FactsByHost } from './topology.ts';
import type { Payload } from './wanted/context.ts';
import { wantedResources } from './wanted/wanted.ts';

export interface PlanInput {
  readonly cluster: Cluster;
  /** Facts of the reachable hosts. The plan omits the other hosts, and hosts without an address. */
  readonly facts: FactsByHost;
  readonly templates: Templates;
  readonly payload: Payload;
  readonly command: 'install' | 'start' | 'stop';
  /** For `install`: also start the cluster. Without it, services that are stopped stay stopped. */
  readonly start?: boolean;
  /** For an upgrade: changes the wanted resources of a host. */
  readonly adjust?: (host: ClusterHost, wanted: readonly Resource[]) => readonly Resource[];
  /** Versions for packages that hosts lack. */
  readonly lock?: VersionsLock | undefined;
  /** By host: package files that this machine has, and no repository. */
  readonly files?: ReadonlyMap<string, readonly PackageFile[]> | undefined;
  /** By system: the only packages that hosts may take. Replaces the lock. */
  readonly bundled?: BundleManifest['systems'] | undefined;
  /** Images for the Docker of agents. */
  readonly images?: readonly ImageResource[] | undefined;
  readonly secrets: Secrets;
  /** Returns the digest of the text as UTF-8, in hex. */
  readonly sha256: (text: string) => string;
}

/**
 * Makes a plan without checking it: `preflight` decides if it may be applied.
 * @throws UnknownAddressError as `topologyOf`, which `preflight` also reports
 */
export function planCluster(input: PlanInput): Plan {
  const { cluster, facts, command, payload, secrets, sha256 } = input;
  const hosts = cluster.hosts.flatMap((host) => {
    const own = facts.get(host.name);
    const address = chooseAddress(cluster, host, facts);
    if (own === undefined || address === undefined) return [];
    const running = wantsRunning(input, own.mesosup.started);
    const usual = wantedResources({ ...input, host, running });
    const bundled = input.bundled && packagesFor(input.bundled, own);
    const pins = bundled ? bundlePins(bundled) : input.lock ? pinsFor(input.lock, own, usual) : [];
    const images = host.roles.includes('agent') ? (input.images ?? []) : [];
    const wanted = input.adjust?.(host, usual) ?? [...withPins(usual, own, pins), ...images];
    const plan = planHost({ cluster, host, facts: own, wanted, command, secrets, sha256 });
    if (!plan.items.some(({ resource }) => resource?.kind === 'package')) return [{ ...plan, address }];
    const files = input.files?.get(host.name) ?? bundled ?? [];
    return [
      {
        ...plan,
        address,
        ...(pins.length > 0 && { pins }),
        ...(files.length > 0 && { files }),
        ...(bundled && { onlyFiles: true as const }),
      },
    ];
  });
  return { format: 1, command, cluster: cluster.name, version: payload.version, hosts };
}

function wantsRunning({ command, start }: PlanInput, started: boolean): boolean | null {
  if (command === 'stop') return false;
  return command === 'start' || start === true || started ? true : null;
}

function packagesFor(systems: BundleManifest['systems'], own: Facts): readonly PackageFile[] {
  const system = lockSystem(own);
  return Object.hasOwn(systems, system) ? (systems[system] ?? []) : [];
}
