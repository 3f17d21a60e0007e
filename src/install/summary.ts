/** Summarizes a plan for a decision: what it does to which hosts, and what it interrupts. */

import type { Cluster, Role } from '../cluster/cluster.ts';
import type { VersionsLock } from '../cluster/versions-lock.ts';
import type { AptChange } from './apt-facts.ts';
import { idParts } from './item.ts';
import { type MovedVersion, movedVersions } from './locked-versions.ts';
import type { MemberChange } from './member-change.ts';
import type { Plan, PlanItem } from './plan.ts';
import { madePackage } from './resources/package.ts';
import type { FactsByHost } from './topology.ts';
import type { Stage } from './upgrade/stages.ts';
import type { HostVersion } from './upgrade/targets.ts';
import { waves } from './waves.ts';

export interface PlanSummary {
  readonly hosts: readonly SummarizedHost[];
  /** Packages on all hosts together, with the dependencies that apt adds. */
  readonly packages: { readonly install: number; readonly upgrade: number; readonly remove: number };
  /** Bytes that apt downloads on all hosts together, as far as the hosts' apt reported them. */
  readonly downloadBytes: number;
  /** False if there are downloads whose size is not known in advance. */
  readonly isDownloadKnown: boolean;
  /** Bytes that this machine copies to each of these hosts. */
  readonly copy?: { readonly bytes: number; readonly hosts: readonly string[] };
  /** Package files that this machine sends, by host. */
  readonly files: readonly { readonly host: string; readonly packages: number; readonly bytes: number }[];
  /** Services with their hosts. */
  readonly restarts: Readonly<Record<string, readonly string[]>>;
  readonly stops: Readonly<Record<string, readonly string[]>>;
  /** Hosts whose tasks end. `tasks` is null if the agent does not report their number. */
  readonly endsTasks: readonly {
    readonly host: string;
    readonly tasks: number | null;
    readonly replaced: boolean;
  }[];
  /** Changes of what the hosts' owner installed, and repairs. */
  readonly notable: readonly { readonly host: string; readonly title: string }[];
  /** Agents that go out of service while Docker changes on their hosts. Their tasks move to other agents, or end. */
  readonly drains: readonly {
    readonly host: string;
    readonly tasks: number | null;
    readonly reason: string;
  }[];
  readonly upgrade?: UpgradeSummary;
  /** What the plan installs in another version than `versions.lock` has. */
  readonly moved: readonly MovedVersion[];
  /** Why a new cluster gets no TLS, as text for people. */
  readonly plainText?: string;
  /** Hosts that take versions of `versions.lock`, and hosts that take packages from a bundle. */
  readonly pinned: readonly string[];
  readonly bundled: readonly string[];
  /** The number of groups of hosts that are changed one after another. */
  readonly steps: number;
  /** An estimate in seconds; see `estimate`. */
  readonly seconds: number;
}

export interface UpgradeSummary {
  /** Of all hosts, also where nothing newer is available. */
  readonly versions: readonly HostVersion[];
  /** Groups of hosts in their order, as it follows from the present leaders. */
  readonly order: readonly { readonly stage: Stage; readonly hosts: readonly string[] }[];
}

export interface SummarizedHost {
  readonly host: string;
  /** The address by which the cluster's members reach it, and the reason. */
  readonly address?: { readonly address: string; readonly why: string };
  readonly roles: readonly Role[];
  readonly changes: number;
}

export interface SummaryInput {
  readonly cluster: Cluster;
  readonly plan: Plan;
  readonly facts: FactsByHost;
  /** Bytes of the archive that a plan with an item `payload` copies. */
  readonly payloadBytes?: number | undefined;
  /** True if the run waits until the cluster is healthy. */
  readonly starts: boolean;
  readonly upgrade?: UpgradeSummary | undefined;
  readonly lock?: VersionsLock | undefined;
  readonly plainText?: string | undefined;
  readonly member?: MemberChange | undefined;
}

/** The download rate of the estimate, for people to compare with their network. */
export const ESTIMATED_MB_PER_SECOND = 10;
// Measured on the hosts of the tests: two processors for three hosts.
const SECONDS_PER_PACKAGE = 0.4;
const SECONDS_PER_SERVICE = 4;
const SECONDS_PER_STEP = 3;
const SECONDS_UNTIL_HEALTHY = 15;

export function summarize({
  cluster,
  plan,
  facts,
  payloadBytes,
  starts,
  upgrade,
  lock,
  plainText,
  member,
}: SummaryInput): PlanSummary {
  const changed = plan.hosts.filter(({ items }) => items.length > 0);
  const own = changed.map(({ host, items }) => {
    const apt = plan.command === 'uninstall' ? undefined : facts.get(host)?.apt;
    return { host, items, apt, packages: packagesOf(items, apt?.changes ?? []) };
  });
  const total = (of: (counts: Counts) => number) => own.reduce((sum, { packages }) => sum + of(packages), 0);
  const copying = own.filter(({ items }) => items.some(({ resource }) => resource?.kind === 'payload'));
  const groups = upgrade?.order ?? waves(cluster, plan, facts, undefined, member);
  const time = (host: string) => {
    const one = own.find((each) => each.host === host);
    if (!one) return 0;
    const { install, upgrade, remove } = one.packages;
    const bytes = (one.apt?.downloadBytes ?? 0) + (copying.includes(one) ? (payloadBytes ?? 0) : 0);
    const services = one.items.filter(({ action }) => action === 'start' || action === 'restart').length;
    return (
      (install + upgrade + remove) * SECONDS_PER_PACKAGE +
      bytes / (ESTIMATED_MB_PER_SECOND * 1e6) +
      services * SECONDS_PER_SERVICE
    );
  };
  return {
    hosts: changed.map(({ host, items, address }) => ({
      host,
      ...(address !== undefined && { address }),
      roles: cluster.hosts.find(({ name }) => name === host)?.roles ?? [],
      changes: items.length,
    })),
    packages: {
      install: total(({ install }) => install),
      upgrade: total(({ upgrade }) => upgrade),
      remove: total(({ remove }) => remove),
    },
    downloadBytes: own.reduce((sum, { apt }) => sum + (apt?.downloadBytes ?? 0), 0),
    isDownloadKnown: own.every(
      ({ items, apt }) =>
        !items.some(isPackageFile) &&
        (!items.some(isFromRepository) || (apt?.downloadBytes !== undefined && apt.obstacles.length === 0)),
    ),
    ...(copying.length > 0 &&
      payloadBytes !== undefined && {
        copy: { bytes: payloadBytes, hosts: copying.map(({ host }) => host) },
      }),
    files: changed.flatMap(({ host, files = [] }) =>
      files.length === 0
        ? []
        : [{ host, packages: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }],
    ),
    restarts: servicesWith(own, 'restart'),
    stops: servicesWith(own, 'stop'),
    endsTasks: own.flatMap(({ host, items }) => {
      const item = items.find(({ endsTasks }) => endsTasks !== undefined && endsTasks !== 0);
      if (item === undefined) return [];
      return [{ host, tasks: item.endsTasks ?? null, replaced: item.action === 'replace-agent' }];
    }),
    notable: own.flatMap(({ host, items }) =>
      items.filter(isNotable).map(({ title, reason }) => ({
        host,
        title: reason === undefined ? title : `${title} ${reason}`,
      })),
    ),
    drains: own.flatMap(({ host, items }) =>
      items
        .filter(({ action, returns }) => action === 'drain' && returns)
        .map(({ reason = '' }) => ({ host, tasks: facts.get(host)?.agent.tasks ?? null, reason })),
    ),
    ...(upgrade && { upgrade }),
    ...(plainText !== undefined && { plainText }),
    moved: lock ? movedVersions(lock, plan, facts) : [],
    pinned: changed.filter(({ pins, onlyFiles }) => pins && !onlyFiles).map(({ host }) => host),
    bundled: changed.filter(({ onlyFiles }) => onlyFiles).map(({ host }) => host),
    steps: groups.length,
    seconds:
      groups.reduce((sum, { hosts }) => sum + Math.max(...hosts.map(time)) + SECONDS_PER_STEP, 0) +
      (starts ? SECONDS_UNTIL_HEALTHY : 0),
  };
}

interface Counts {
  readonly install: number;
  readonly upgrade: number;
  readonly remove: number;
}

function packagesOf(items: readonly PlanItem[], changes: readonly AptChange[]): Counts {
  // A removal by apt is an item, and in the changes.
  const packages = items.filter(({ id, byApt }) => idParts(id).kind === 'package' && !byApt);
  const number = (action: string, ...more: string[]) =>
    packages.filter((item) => item.action === action).length +
    changes.filter((change) => [action, ...more].includes(change.action)).length;
  return {
    install: number('install') + packages.filter(({ action }) => action === 'restore').length,
    upgrade: number('upgrade', 'downgrade'),
    remove: number('remove'),
  };
}

function isFromRepository({ resource }: PlanItem): boolean {
  return resource?.kind === 'package' && resource.file === undefined;
}

/** Its size is known only to the server that has it. */
function isPackageFile({ resource }: PlanItem): boolean {
  return resource?.kind === 'package' && resource.file !== undefined && !madePackage(resource);
}

function isNotable({ id, action, byApt }: PlanItem): boolean {
  return byApt === true || action === 'repair' || (action === 'restore' && idParts(id).kind === 'package');
}

function servicesWith(
  hosts: readonly { readonly host: string; readonly items: readonly PlanItem[] }[],
  action: PlanItem['action'],
): Record<string, string[]> {
  const services: Record<string, string[]> = {};
  for (const { host, items } of hosts) {
    for (const item of items) {
      const { kind, name } = idParts(item.id);
      if (kind === 'service' && item.action === action) services[name] = [...(services[name] ?? []), host];
    }
  }
  return services;
}
