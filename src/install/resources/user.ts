/** A user and its groups. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import { variant } from '../../stored/record.ts';
import type { JournaledKind } from './resource.ts';

export interface UserResource {
  readonly kind: 'user';
  readonly name: string;
  /** Home directory. A missing user is created as a system user without a login. */
  readonly home: string;
  /** Groups that it must be a member of, besides its own. */
  readonly groups: readonly string[];
}

interface UserEntry {
  readonly kind: 'user';
  readonly name: string;
  readonly before: 'absent' | { readonly groups: readonly string[] };
}

const removeUser = (name: string) => [`remove_user ${quote(name)}`];

export const userKind: JournaledKind<UserResource, UserEntry> = {
  kind: 'user',
  stored: variant<UserResource>('user', { name: z.string(), home: z.string(), groups: z.array(z.string()) }),
  id: ({ name }) => `user:${name}`,
  targets: ({ name }) => ({ users: [name] }),
  diff(resource, { facts }) {
    const { name, groups } = resource;
    const found = facts.users[name];
    const missing = groups.filter((group) => !found?.groups.includes(group));
    const diff = missing.map((group) => `+group ${group}`);
    const id = `user:${name}`;
    if (found === undefined) return { id, action: 'create', title: `user ${name}: create`, diff, resource };
    if (missing.length === 0) return undefined;
    return { id, action: 'change', title: `user ${name}: add to ${missing.join(', ')}`, diff, resource };
  },
  keep: ({ name }) => [`keep_user ${quote(name)}`],
  steps: ({ name, home, groups }) => [`make_user ${[name, home, ...groups].map(quote).join(' ')}`],
  remove: removeUser,
  journal: {
    schema: z.object({
      kind: z.literal('user'),
      name: z.string(),
      before: z.union([z.literal('absent'), z.object({ groups: z.array(z.string()) })]),
    }),
    undo({ name, before }, { facts }) {
      const id = `user:${name}`;
      if (before === 'absent') {
        return { undo: [{ id, action: 'remove', title: `user ${name}: remove`, diff: [] }] };
      }
      const extra = (facts.users[name]?.groups ?? []).filter((group) => !before.groups.includes(group));
      if (extra.length === 0) return {};
      const title = `user ${name}: remove from ${extra.join(', ')}`;
      return { undo: [{ id, action: 'restore', title, diff: [] }] };
    },
    restore: ({ name, before }) =>
      before === 'absent'
        ? removeUser(name)
        : [`leave_groups ${[name, ...before.groups].map(quote).join(' ')}`],
  },
};
