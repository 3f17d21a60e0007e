/** Finds ids of a draft that would name both an app and a group. */

import { ancestorsOf, isWithin } from '../../domain/app-id.ts';
import type { State } from '../../domain/state.ts';

/** Changed apps and groups by id; `null` if removed. */
interface Ids {
  readonly apps: ReadonlyMap<string, unknown>;
  readonly groups: ReadonlyMap<string, unknown>;
}

export interface IdConflict {
  /** The new app or group. */
  readonly kind: 'app' | 'group';
  readonly id: string;
  readonly error: string;
}

/** Ids that conflicted before the change are left out: earlier releases accepted them. */
export function findIdConflicts(state: State, draft: Ids): IdConflict[] {
  const newApps = [...draft.apps].flatMap(([id, app]) => (app && !state.apps.has(id) ? [id] : []));
  const newGroups = [...draft.groups].flatMap(([id, group]) => (group && !state.groups.has(id) ? [id] : []));
  const isNewGroup = new Set(newGroups);
  const newlyGroups = new Set([...newApps, ...newGroups].flatMap(ancestorsOf));
  const isApp = (id: string) => (draft.apps.has(id) ? draft.apps.get(id) !== null : state.apps.has(id));
  const isGroup = (id: string) => {
    if (isNewGroup.has(id) || newlyGroups.has(id)) return true;
    if (state.groups.has(id) && draft.groups.get(id) !== null) return true;
    const members = state.members.get(id) ?? 0;
    if (members === 0) return false;
    const removed = [...draft.apps, ...draft.groups].filter(
      ([one, now]) => now === null && isWithin(one, id) && (state.apps.has(one) || state.groups.has(one)),
    );
    return members > removed.length;
  };
  const conflicts: IdConflict[] = [];
  for (const id of newApps) {
    // For two new ones, the group has the problem.
    if (!isNewGroup.has(id) && isGroup(id))
      conflicts.push({ kind: 'app', id, error: `is ${id}, which is a group` });
  }
  for (const [kind, ids] of [
    ['app', newApps],
    ['group', newGroups],
  ] as const) {
    for (const id of ids) {
      const app = (kind === 'group' ? [id, ...ancestorsOf(id)] : ancestorsOf(id)).find(isApp);
      if (app === undefined) continue;
      const error =
        app === id ? `is ${id}, which is an app` : `is in ${app}, which is an app and not a group`;
      conflicts.push({ kind, id, error });
    }
  }
  return conflicts;
}
