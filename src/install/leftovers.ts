/** Finds resources that mesosup once made, according to the host's journal, and that are no longer wanted. */

import type { Facts } from './facts.ts';
import type { UndoItem } from './item.ts';
import { leavesFirst, leftoverItems, type Resource, resourceId } from './resources/registry.ts';
import { holdsData } from './wanted/left-behind.ts';

export interface Leftovers {
  /** Applied first: a service must not run while its files are removed. */
  readonly services: readonly UndoItem[];
  /** Sorted so that files come before their directories. */
  readonly files: readonly UndoItem[];
}

/** @param data directories whose content outlives their roles */
export function leftovers(facts: Facts, wanted: readonly Resource[], data: readonly string[]): Leftovers {
  const { journal } = facts.mesosup;
  const ids = new Set(wanted.map(resourceId));
  const paths = new Set(wanted.flatMap((one) => ('path' in one ? [one.path] : [])));
  const swept = wanted.flatMap((one) => (one.kind === 'directory' && one.only ? [one.path] : []));
  const old = journal.filter((entry) => {
    if (!('path' in entry)) return !ids.has(`${entry.kind}:${entry.name}`);
    // A stray file that was moved to the backup must not be restored.
    const isStray = swept.includes(parentOf(entry.path)) && entry.before !== 'absent';
    return !paths.has(entry.path) && !isStray;
  });
  const ours = new Set(
    journal.flatMap((entry) => ('path' in entry && entry.before === 'absent' ? [entry.path] : [])),
  );
  const context = {
    facts,
    holdsData: (path: string) => holdsData(data, path),
    containsOnlyOwnFiles: (path: string) =>
      Object.keys(facts.files).every((one) => !one.startsWith(`${path}/`) || ours.has(one)),
  };
  const items = old.map((entry) => ({ first: leavesFirst(entry), items: leftoverItems(entry, context) }));
  return {
    services: items.flatMap((one) => (one.first ? one.items : [])).toReversed(),
    files: items.flatMap((one) => (one.first ? [] : one.items)).toSorted(deepestFirst),
  };
}

function deepestFirst(a: UndoItem, b: UndoItem): number {
  return b.id.split('/').length - a.id.split('/').length;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
