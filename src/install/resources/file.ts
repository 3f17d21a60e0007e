/** A file with its text, owner, group and mode. */

import { z } from 'zod';
import { type MarkedText, reveal } from '../../cluster/secrets.ts';
import { variant } from '../../stored/record.ts';
import type { Item } from '../item.ts';
import { LISTS_STALE } from '../script/places.ts';
import { safeDiff } from '../text-diff.ts';
import {
  keepPath,
  type PathEntry,
  pathId,
  pathItem,
  pathJournal,
  putLines,
  removePath,
  rightsLines,
  typeLines,
} from './path.ts';
import type { DiffInput, JournaledKind } from './resource.ts';

export interface FileResource {
  readonly kind: 'file';
  readonly path: string;
  readonly content: MarkedText;
  readonly owner: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
  /** The purpose of the file, as text for people: `the addresses of the masters`. */
  readonly note?: string;
  /** True if it is written before packages are installed, so that their scripts find it. */
  readonly beforePackages?: boolean;
  /** True for a list of an apt repository: after a change the package lists are fetched again. */
  readonly aptSource?: boolean;
}

export const fileKind: JournaledKind<FileResource, PathEntry<'file'>> = {
  kind: 'file',
  stored: variant<FileResource>('file', {
    path: z.string(),
    content: z.string(),
    owner: z.string(),
    group: z.string(),
    mode: z.string(),
    note: z.string().optional(),
    beforePackages: z.boolean().optional(),
    aptSource: z.boolean().optional(),
  }),
  id: pathId,
  targets: ({ path }) => ({ files: [path] }),
  diff: diffFile,
  keep: ({ path }) => keepPath('file', path),
  steps(file, _item, { secrets }) {
    const text = secrets ? reveal(file.content, secrets) : file.content;
    // A plan may be made before a certificate is issued; a host must not get an empty file for it.
    if (text === '' && file.content !== '') throw new TypeError(`${file.path} has no content yet`);
    const put = putLines(file.path, file, Buffer.from(text));
    return file.aptSource ? [`: >${LISTS_STALE}`, ...put] : put;
  },
  remove: removePath,
  journal: pathJournal('file'),
};

function diffFile(
  resource: FileResource,
  { facts, secrets, sha256 }: DiffInput,
): Item<FileResource> | undefined {
  const { path, content, note } = resource;
  const found = facts.files[path];
  const about = note === undefined ? path : `${path} (${note})`;
  const rights = rightsLines(found, resource, '0644');
  if (found === undefined) {
    return pathItem(resource, 'create', `${about}: create`, [
      ...rights,
      ...safeDiff(undefined, content, secrets),
    ]);
  }
  const same = found.type === 'file' && found.sha256 === sha256(reveal(content, secrets));
  if (same && rights.length === 0) return undefined;
  const lines = same ? [] : [...typeLines(found), ...safeDiff(found.text, content, secrets)];
  return pathItem(resource, 'change', `${about}: change`, [...rights, ...lines]);
}
