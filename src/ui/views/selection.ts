/** The apps that the user has selected for a change of several. */

import { computed } from '@preact/signals';
import { apps, ofSession } from '../store.ts';

const chosen = ofSession<ReadonlySet<string>>(new Set());

/** Without apps that are gone. */
export const selected = computed<ReadonlySet<string>>(
  () => new Set([...chosen.value].filter((id) => apps.value.has(id))),
);

/** @param within the ids are groups, and all apps in them are meant */
export function selectApps(ids: readonly string[], isSelected: boolean, within = false): void {
  const all = within
    ? [...apps.peek().keys()].filter((id) => ids.some((group) => id.startsWith(`${group}/`)))
    : ids;
  const next = new Set(selected.peek());
  for (const id of all) {
    if (isSelected) next.add(id);
    else next.delete(id);
  }
  chosen.value = next;
}

export function selectNone(): void {
  chosen.value = new Set();
}
