/** What was ours once, by the host's journal, and is wanted no more. */

import type { Facts, FileFacts, JournalEntry } from './facts.ts';
import type { PlanItem } from './plan.ts';
import { type Resource, resourceId } from './resources.ts';

/** State that no change of roles throws away; `uninstall --purge` does. */
export const DATA_DIRECTORIES = [
  '/var/lib/mesos',
  '/var/lib/mesos/master',
  '/var/lib/mesos/agent',
  '/var/lib/mesosup',
  '/var/lib/mesosup/scheduler',
  '/var/lib/zookeeper',
  '/var/lib/docker',
] as const;

export interface Leftovers {
  /** Before all else: nothing of them should run while their files go. */
  readonly services: readonly PlanItem[];
  /** Files before their directories. */
  readonly files: readonly PlanItem[];
}

/**
 * Files and services alone: packages, users and payloads stay until the host is uninstalled, since others may have
 * come to use them.
 */
export function leftovers(facts: Facts, wanted: readonly Resource[]): Leftovers {
  const ids = new Set(wanted.map(resourceId));
  const paths = new Set(wanted.flatMap((one) => ('path' in one ? [one.path] : [])));
  const swept = wanted.flatMap((one) => (one.kind === 'directory' && one.only ? [one] : []));
  const services: PlanItem[] = [];
  const files: PlanItem[] = [];
  for (const entry of facts.mesosup.journal) {
    if (entry.kind === 'service') {
      if (!ids.has(`service:${entry.name}`)) services.push(...restoredService(entry, facts));
    } else if (entry.kind === 'file' || entry.kind === 'link' || entry.kind === 'directory') {
      if (paths.has(entry.path)) continue;
      // A stray that was moved away must not come back.
      const stray = swept.some(({ path }) => parentOf(entry.path) === path) && entry.before !== 'absent';
      if (!stray) files.push(...restoredFile(entry, facts));
    }
  }
  return { services: services.toReversed(), files: files.toSorted(deepestFirst) };
}

function restoredService(entry: JournalEntry & { kind: 'service' }, facts: Facts): PlanItem[] {
  const found = facts.services[entry.name];
  const { enabled, running } = entry.before;
  if (found === undefined) return [];
  const masked = (state: string) => state === 'masked';
  const same =
    (found.enabled === 'enabled') === (enabled === 'enabled') &&
    masked(found.enabled) === masked(enabled) &&
    (found.state !== 'stopped') === running;
  if (same) return [];
  const words = [running ? 'start' : 'stop', enabled === 'enabled' ? 'enable' : 'disable'];
  return [
    {
      id: `service:${entry.name}`,
      action: 'restore',
      title: `service ${entry.name}: ${words.join(' and ')}, as before mesosup`,
      diff: [],
      reason: 'because this host needs it no more',
    },
  ];
}

type PathEntry = JournalEntry & { kind: 'file' | 'directory' | 'link' };

function restoredFile(entry: PathEntry, facts: Facts): PlanItem[] {
  const { path, before } = entry;
  const found = facts.files[path];
  if (entry.kind === 'directory' && isData(path)) return [];
  if (before === 'absent') {
    if (found === undefined) return [];
    if (entry.kind === 'directory' && !isEmptyOfOthers(path, facts)) return [];
    return [removal(path, entry.kind)];
  }
  if (found !== undefined && sameFile(found, before.facts)) return [];
  return [
    {
      id: `${entry.kind}:${path}`,
      action: 'restore',
      title: `${path}: as before mesosup`,
      diff: [],
      reason: 'because nothing of ours needs it any more',
    },
  ];
}

function removal(path: string, kind: PathEntry['kind']): PlanItem {
  return {
    id: `${kind}:${path}`,
    action: removalAction(kind),
    title: `${path}: remove`,
    diff: [],
    reason: 'because it is wanted no more',
  };
}

/** A directory that is put back to absent goes only when it is empty; `remove` takes all in it along. */
export function removalAction(kind: PathEntry['kind']): 'remove' | 'restore' {
  return kind === 'directory' ? 'restore' : 'remove';
}

export function isData(path: string): boolean {
  return DATA_DIRECTORIES.some((one) => one === path);
}

/** All that lies in it is the journal's too, so that it is empty by the time its turn comes. */
function isEmptyOfOthers(path: string, facts: Facts): boolean {
  const ours = new Set(
    facts.mesosup.journal.flatMap((entry) =>
      'path' in entry && entry.before === 'absent' ? [entry.path] : [],
    ),
  );
  return Object.keys(facts.files).every((one) => !one.startsWith(`${path}/`) || ours.has(one));
}

function sameFile(a: FileFacts, b: FileFacts): boolean {
  return (
    a.type === b.type &&
    a.sha256 === b.sha256 &&
    a.target === b.target &&
    (a.type === 'link' || (a.mode === b.mode && a.owner === b.owner && a.group === b.group))
  );
}

function deepestFirst(a: PlanItem, b: PlanItem): number {
  return b.id.split('/').length - a.id.split('/').length;
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
