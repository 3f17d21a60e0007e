/** Adds changes that apt would make beyond the plan's packages to the plan. */

import { listed } from '../text/listed.ts';
import type { AptChange, AptFacts } from './apt-facts.ts';
import type { Facts } from './facts.ts';
import type { PlanItem } from './plan.ts';

/**
 * Adds removals and downgrades as items before the package that causes them, so that one run of apt-get does both. Adds
 * upgrades and new dependencies as lines to the item that causes them.
 */
export function withAptChanges(items: readonly PlanItem[], apt: AptFacts | undefined): PlanItem[] {
  const packages = items.filter(({ resource }) => resource?.kind === 'package');
  const last = packages.at(-1);
  if (apt === undefined || last === undefined) return [...items];
  const causing = ({ wantedBy }: AptChange) =>
    packages.find(({ resource }) => resource?.kind === 'package' && resource.name === wantedBy) ?? last;
  const byItem = Map.groupBy(apt.changes, causing);
  return items.flatMap((item) => {
    const changes = byItem.get(item);
    if (changes === undefined) return [item];
    return [...changes.flatMap(lossItem), { ...item, diff: [...item.diff, ...gainLines(changes)] }];
  });
}

function lossItem(change: AptChange): PlanItem[] {
  const { name, action, from, to } = change;
  const because = causeOf(change);
  const rest = {
    id: `package:${name}`,
    diff: [],
    byApt: true as const,
    ...(because !== '' && { reason: because }),
  };
  if (action === 'remove') return [{ ...rest, action: 'remove', title: `package ${name}: remove ${from}` }];
  if (action !== 'downgrade') return [];
  return [{ ...rest, action: 'change', title: `package ${name}: downgrade ${from} → ${to}` }];
}

/** Describes the cause: `because it conflicts with runc, which docker.io needs`; empty if it isn't known. */
export function causeOf({ conflictsWith, wantedBy }: AptChange): string {
  if (conflictsWith === undefined) return wantedBy === undefined ? '' : `because ${wantedBy} needs it`;
  const needed = wantedBy === undefined || wantedBy === conflictsWith ? '' : `, which ${wantedBy} needs`;
  return `because it conflicts with ${conflictsWith}${needed}`;
}

function gainLines(changes: readonly AptChange[]): string[] {
  const added = changes.filter(({ action }) => action === 'install').map(({ name }) => name);
  const upgraded = changes
    .filter(({ action }) => action === 'upgrade')
    .map(({ name, from, to }) => `${name} ${from} → ${to}`);
  return [
    ...(added.length > 0 ? [` also installs ${listed(added)}`] : []),
    ...(upgraded.length > 0 ? [` also upgrades ${listed(upgraded)}`] : []),
  ];
}

/** Lists removals and downgrades of packages that were on the host before mesosup. */
export function findOwnersLosses({ apt, mesosup }: Facts): AptChange[] {
  const ours = new Set(
    mesosup.journal.flatMap((entry) =>
      entry.kind === 'package' && entry.before === 'absent' ? [entry.name] : [],
    ),
  );
  return (apt?.changes ?? []).filter(
    ({ name, action }) => (action === 'remove' || action === 'downgrade') && !ours.has(name),
  );
}
