/**
 * A path that must not exist, for example a flag that is no longer wanted. Its previous state is kept in the backup.
 */

import { z } from 'zod';
import { variant } from '../../stored/record.ts';
import { pathWord } from '../script/path-word.ts';
import type { ResourceKind } from './resource.ts';

export interface AbsentResource {
  readonly kind: 'absent';
  readonly path: string;
}

/** Has the same id as a file with this path, and the same entries in the journal. */
export const absentKind: ResourceKind<AbsentResource> = {
  kind: 'absent',
  stored: variant<AbsentResource>('absent', { path: z.string() }),
  id: ({ path }) => `file:${path}`,
  targets: ({ path }) => ({ files: [path] }),
  diff(resource, { facts }) {
    const { path } = resource;
    if (facts.files[path] === undefined) return undefined;
    return { id: `file:${path}`, action: 'remove', title: `${path}: remove`, diff: [], resource };
  },
  keep: ({ path }) => [`keep_tree ${pathWord(path)}`],
  steps: ({ path }) => [`discard ${pathWord(path)}`],
};
