/** A path that must not be there, e.g. a flag that is wanted no more. What was there is kept in the backup. */

import { z } from 'zod';
import { variant } from '../../stored/record.ts';
import { pathWord } from '../script/path-word.ts';
import type { ResourceKind } from './resource.ts';

export interface AbsentResource {
  readonly kind: 'absent';
  readonly path: string;
}

/** It takes the place of a file: its id is the file's, and so are its entries in the journal. */
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
