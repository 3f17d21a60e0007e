/** A symbolic link. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import { variant } from '../../stored/record.ts';
import { keepPath, type PathEntry, pathId, pathItem, pathJournal, removePath } from './path.ts';
import type { JournaledKind } from './resource.ts';

export interface LinkResource {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
}

export const linkKind: JournaledKind<LinkResource, PathEntry<'link'>> = {
  kind: 'link',
  stored: variant<LinkResource>('link', { path: z.string(), target: z.string() }),
  id: pathId,
  targets: ({ path }) => ({ files: [path] }),
  diff(resource, { facts }) {
    const { path, target } = resource;
    const found = facts.files[path];
    if (found?.type === 'link' && found.target === target) return undefined;
    const before =
      found === undefined ? [] : [`-${found.type === 'link' ? `link to ${found.target}` : found.type}`];
    const action = found === undefined ? 'create' : 'change';
    return pathItem(resource, action, `${path}: link to ${target}`, [...before, `+link to ${target}`]);
  },
  keep: ({ path }) => keepPath('link', path),
  steps: ({ path, target }) => [`link ${quote(path)} ${quote(target)}`],
  remove: removePath,
  journal: pathJournal('link'),
};
