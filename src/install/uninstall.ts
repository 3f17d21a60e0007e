/** Plans an uninstall: undoes the journal of each host, from its end. */

import type { Cluster } from '../cluster/cluster.ts';
import { basisOf } from './basis.ts';
import type { Facts } from './facts.ts';
import type { UndoItem } from './item.ts';
import { PACKAGED_LAYOUTS } from './layout.ts';
import type { HostPlan, Plan } from './plan.ts';
import { wholeDirectory } from './resources/path.ts';
import { type JournalEntry, sweepItems, undoEntry } from './resources/registry.ts';
import { STATE } from './script/places.ts';
import type { FactsByHost } from './topology.ts';
import { DOCKER_DATA, DOCKER_SERVICE } from './wanted/docker.ts';
import { dataDirectories, dataOf, holdsData, packagesOf, tracesOf } from './wanted/left-behind.ts';

export interface UninstallInput {
  readonly cluster: Cluster;
  readonly facts: FactsByHost;
  /** Version of this program. */
  readonly version: string;
  /** Also remove data: the state of Mesos and ZooKeeper, sandboxes, Docker's images, packages' configuration. */
  readonly purge: boolean;
  readonly sha256: (text: string) => string;
}

export function uninstallPlan(input: UninstallInput): Plan {
  const { cluster, facts, version, purge, sha256 } = input;
  const hosts = cluster.hosts.flatMap((host): HostPlan[] => {
    const own = facts.get(host.name);
    if (own === undefined) return [];
    return [
      {
        host: host.name,
        items: uninstallItems(own, purge, dataDirectories(cluster, host)),
        basis: basisOf(own, sha256),
      },
    ];
  });
  return { format: 1, command: 'uninstall', cluster: cluster.name, version, hosts };
}

/** @param state directories of data */
export function uninstallItems(facts: Facts, purge: boolean, state: readonly string[]): UndoItem[] {
  const backwards = facts.mesosup.journal.toReversed();
  const ours = backwards.flatMap((entry) =>
    entry.kind === 'package' && entry.before === 'absent' ? [entry.name] : [],
  );
  const data = purge ? [...new Set(ours.flatMap(dataOf))] : [];
  const traces = [...new Set(ours.flatMap(tracesOf))];
  const context = {
    facts,
    purge,
    isData: (path: string) => state.includes(path),
    holdsData: (path: string) => holdsData(state, path),
    // The service of a package that mesosup installed is removed with the package.
    wasInstalledByMesosup: (service: string) => packagesOf(service).some((one) => ours.includes(one)),
    isAgent: (service: string) => PACKAGED_LAYOUTS.some(({ agent }) => agent.service === service),
    isEngine: (service: string) => service === DOCKER_SERVICE,
  };
  const undone = backwards.map((entry) => {
    const { undo, ...rest } = undoEntry(entry, context);
    return { ...rest, undo: isWithin(entry, data) ? [] : undo };
  });
  const items = [
    ...undone.flatMap(({ stop }) => stop ?? []),
    ...traces.map((path) => removal(`file:${path}`, `${path}: remove`)),
    ...data.map(wholeDirectory),
    ...undone.flatMap(({ undo }) => undo ?? []),
    // The packages that conflict with these have been removed by now.
    ...undone.flatMap(({ bringBack }) => bringBack ?? []),
    ...sweepItems(facts),
    ...undone.toReversed().flatMap(({ resume }) => resume ?? []),
  ];
  if (items.length === 0 && facts.mesosup.cluster === '') return [];
  return [...items, removal(`directory:${STATE}`, `${STATE}: remove mesosup's records of this host`)];
}

function removal(id: string, title: string): UndoItem {
  return { id, action: 'remove', title, diff: [] };
}

/** True of a path that is removed with the data of a package. */
function isWithin(entry: JournalEntry, data: readonly string[]): boolean {
  if (!('path' in entry)) return false;
  const { path, before } = entry;
  // Other packages contain their directories, so the journal does not know if they existed before.
  if (path === DOCKER_DATA && before !== 'absent') return false;
  return data.some((one) => path === one || path.startsWith(`${one}/`));
}
