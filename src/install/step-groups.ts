/** Groups the items of a host's plan as they are applied: consecutive packages together, by one apt-get. */

import { count } from '../text/count.ts';
import { listed } from '../text/listed.ts';
import { idParts, type Numbered } from './item.ts';
import type { PlanItem } from './plan.ts';
import { type PackageWork, packageWork } from './resources/package.ts';
import type { JournalEntry } from './resources/registry.ts';

export interface StepGroup {
  /** Undefined for items that are not packages. */
  readonly work: PackageWork | undefined;
  readonly group: readonly Numbered<PlanItem>[];
}

/** @param journal of the host */
export function stepGroups(
  items: readonly Numbered<PlanItem>[],
  journal: readonly JournalEntry[],
): StepGroup[] {
  const groups: StepGroup[] = [];
  for (let at = 0; at < items.length; ) {
    const work = packageWork(items[at] as Numbered<PlanItem>, journal);
    let end = at + 1;
    while (end < items.length && packageWork(items[end] as Numbered<PlanItem>, journal) === work) end += 1;
    groups.push({ work, group: items.slice(at, end) });
    at = end;
  }
  return groups;
}

/** What a step shows while it is in progress. */
export interface StepLabel {
  /** The step's title; of packages that are handled together, what happens to all of them. */
  readonly title: string;
  /** The index of the last item that is handled together with this one. */
  readonly last: number;
}

const VERBS: Readonly<Record<PackageWork, string>> = {
  install: 'installing',
  remove: 'removing',
  purge: 'purging',
  restore: 'restoring',
};

/** Labels the items of a plan, in order. */
export function stepLabels(items: readonly PlanItem[], journal: readonly JournalEntry[]): StepLabel[] {
  const numbered = items.map((item, index) => ({ item, index }));
  return stepGroups(numbered, journal).flatMap(({ work, group }) => {
    if (work === undefined || group.length === 1) {
      return group.map(({ item, index }) => ({ title: item.title, last: index }));
    }
    const names = group.map(({ item }) => idParts(item.id).name);
    const title = `${VERBS[work]} ${count(group.length, 'package')}: ${listed(names, 3)}`;
    return group.map(() => ({ title, last: group.at(-1)?.index ?? 0 }));
  });
}
