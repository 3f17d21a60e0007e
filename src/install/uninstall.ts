/** Taking mesosup off again: the journal of each host, backwards. */

import type { Cluster } from '../cluster/cluster.ts';
import { basisOf } from './basis.ts';
import type { Facts, JournalEntry } from './facts.ts';
import { CLUSTERD_PACKAGE, LEGACY_PACKAGE, PACKAGED_LAYOUTS } from './layout.ts';
import { isData, removalAction } from './leftovers.ts';
import { installedPackage } from './package-state.ts';
import type { HostPlan, Plan, PlanItem } from './plan.ts';
import { PAYLOADS, STATE } from './script/places.ts';
import type { FactsByHost } from './topology.ts';
import { DOCKER_DATA, DOCKER_SERVICE } from './wanted/docker.ts';
import { ZOOKEEPER_PACKAGE, ZOOKEEPER_SERVICE } from './wanted/zookeeper.ts';

export interface UninstallInput {
  readonly cluster: Cluster;
  readonly facts: FactsByHost;
  /** Of this program. */
  readonly version: string;
  /** Data goes too: Mesos' and ZooKeeper's state, sandboxes, Docker's images, packages' configuration. */
  readonly purge: boolean;
  readonly sha256: (text: string) => string;
}

export function uninstallPlan(input: UninstallInput): Plan {
  const { cluster, facts, version, purge, sha256 } = input;
  const hosts = cluster.hosts.flatMap((host): HostPlan[] => {
    const own = facts.get(host.name);
    if (own === undefined) return [];
    return [{ host: host.name, items: uninstallItems(own, purge), basis: basisOf(own, sha256) }];
  });
  return { format: 1, command: 'uninstall', cluster: cluster.name, version, hosts };
}

/** What a package's programs made that is nobody's data, by the package. */
const PACKAGE_TRACES: Readonly<Record<string, readonly string[]>> = {
  'docker.io': ['/etc/docker/key.json'],
  'docker-ce': ['/etc/docker/key.json'],
};

/** What a package leaves in place even when it is purged. */
const PACKAGE_DATA: Readonly<Record<string, readonly string[]>> = {
  'docker.io': [DOCKER_DATA],
  'docker-ce': [DOCKER_DATA],
  'containerd.io': ['/var/lib/containerd'],
  containerd: ['/var/lib/containerd'],
  zookeeper: ['/var/lib/zookeeper', '/var/log/zookeeper'],
};

export function uninstallItems(facts: Facts, purge: boolean): PlanItem[] {
  const backwards = facts.mesosup.journal.toReversed();
  const services = backwards.filter((entry) => entry.kind === 'service');
  const ours = backwards.flatMap((entry) =>
    entry.kind === 'package' && entry.before === 'absent' ? [entry.name] : [],
  );
  const data = purge ? [...new Set(ours.flatMap((name) => PACKAGE_DATA[name] ?? []))] : [];
  const traces = [...new Set(ours.flatMap((name) => PACKAGE_TRACES[name] ?? []))];
  // Other packages bring their directories, so that the journal says nothing of the time before them.
  const wasThere = ({ path, before }: PathEntry) => path === DOCKER_DATA && before !== 'absent';
  const goes = (entry: PathEntry) =>
    !wasThere(entry) && data.some((one) => entry.path === one || entry.path.startsWith(`${one}/`));
  const items = [
    ...services.flatMap((entry) => stopItem(entry, facts, cameWithUs(entry, ours))),
    ...traces.map((path) => plain(`file:${path}`, 'remove', `${path}: remove`)),
    ...data.map(wholeDirectory),
    ...backwards.flatMap((entry) => ('path' in entry && goes(entry) ? [] : undo(entry, facts, purge))),
    // The packages that took their place are gone by now.
    ...backwards.flatMap((entry) => (entry.kind === 'package' ? restorePackage(entry, facts) : [])),
    ...facts.mesosup.payloads
      .filter((version) => !facts.mesosup.released.includes(version))
      .map((version) => plain(`payload:${version}`, 'remove', `${PAYLOADS}/${version}: remove`)),
    ...services.toReversed().flatMap((entry) => (cameWithUs(entry, ours) ? [] : restoreItem(entry))),
  ];
  if (items.length === 0 && facts.mesosup.cluster === '') return [];
  return [
    ...items,
    plain(`directory:${STATE}`, 'remove', `${STATE}: remove what mesosup remembers of this host`),
  ];
}

function plain(id: string, action: PlanItem['action'], title: string): PlanItem {
  return { id, action, title, diff: [] };
}

type ServiceEntry = JournalEntry & { kind: 'service' };
type PathEntry = JournalEntry & { kind: 'file' | 'directory' | 'link' };

/** What ran before us runs on. @param ours it came with a package of ours */
function stopItem(entry: ServiceEntry, facts: Facts, ours: boolean): PlanItem[] {
  if (entry.before.running || facts.services[entry.name] === undefined) return [];
  const isAgent = PACKAGED_LAYOUTS.some(({ agent }) => agent.service === entry.name);
  const item = plain(`service:${entry.name}`, 'remove', `service ${entry.name}: stop and disable`);
  if (ours && entry.name === DOCKER_SERVICE) {
    return [{ ...item, title: `${item.title}, and remove all containers`, whole: true }];
  }
  return [
    isAgent && facts.agent.id !== ''
      ? { ...item, title: `${item.title}, and end its tasks`, endsTasks: facts.agent.tasks }
      : item,
  ];
}

/** The packages that a service may be of. */
const SERVICE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  [DOCKER_SERVICE]: ['docker.io', 'docker-ce'],
  [ZOOKEEPER_SERVICE]: [ZOOKEEPER_PACKAGE, 'zookeeperd'],
};

/** What a package of ours brought goes with it. */
function cameWithUs({ name }: ServiceEntry, ours: readonly string[]): boolean {
  return (SERVICE_PACKAGES[name] ?? [CLUSTERD_PACKAGE, LEGACY_PACKAGE]).some((one) => ours.includes(one));
}

function restoreItem(entry: ServiceEntry): PlanItem[] {
  const { enabled, running } = entry.before;
  if (!running && enabled !== 'enabled' && enabled !== 'masked') return [];
  const words = [
    enabled === 'masked' ? 'mask' : enabled === 'enabled' ? 'enable' : 'disable',
    running ? 'restart' : '',
  ];
  const what = words.filter((word) => word !== '').join(' and ');
  return [plain(`service:${entry.name}`, 'restore', `service ${entry.name}: ${what}, as before`)];
}

function undo(entry: JournalEntry, facts: Facts, purge: boolean): PlanItem[] {
  switch (entry.kind) {
    case 'service':
      return [];
    case 'package':
      return undoPackage(entry, purge);
    case 'user':
      return undoUser(entry, facts);
    default:
      return undoPath(entry, purge);
  }
}

function undoPackage(entry: JournalEntry & { kind: 'package' }, purge: boolean): PlanItem[] {
  // An older version may be nowhere any more; the newer one stays.
  if (entry.before !== 'absent') return [];
  const how = purge ? 'purge' : 'remove';
  const item = plain(`package:${entry.name}`, 'remove', `package ${entry.name}: ${how}`);
  return [purge ? { ...item, whole: true } : item];
}

/** What a run of ours removed comes back, unless the owner has installed it again. */
function restorePackage(entry: JournalEntry & { kind: 'package' }, facts: Facts): PlanItem[] {
  const { name, before, removed } = entry;
  if (before === 'absent' || !removed || installedPackage(facts, name) !== undefined) return [];
  return [
    plain(
      `package:${name}`,
      'restore',
      `package ${name}: install ${before.version} again, as before mesosup`,
    ),
  ];
}

function undoUser(entry: JournalEntry & { kind: 'user' }, facts: Facts): PlanItem[] {
  const { name, before } = entry;
  if (before === 'absent') return [plain(`user:${name}`, 'remove', `user ${name}: remove`)];
  const extra = (facts.users[name]?.groups ?? []).filter((group) => !before.groups.includes(group));
  if (extra.length === 0) return [];
  return [plain(`user:${name}`, 'restore', `user ${name}: take out of ${extra.join(', ')}`)];
}

function undoPath(entry: PathEntry, purge: boolean): PlanItem[] {
  const { kind, path, before } = entry;
  if (path === STATE) return [];
  const data = kind === 'directory' && isData(path);
  if (data && !purge) return [];
  if (before !== 'absent') return [plain(`${kind}:${path}`, 'restore', `${path}: as before mesosup`)];
  return [data ? wholeDirectory(path) : plain(`${kind}:${path}`, removalAction(kind), `${path}: remove`)];
}

function wholeDirectory(path: string): PlanItem {
  return { ...plain(`directory:${path}`, 'remove', `${path}: remove with all in it`), whole: true };
}
