/** Shared parts of files, directories and links: the journal of paths, and lines that write a file. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import type { FileFacts } from '../host-facts.ts';
import type { Item, Shape, UndoItem } from '../item.ts';
import { pathWord } from '../script/path-word.ts';
import { STATE } from '../script/places.ts';
import type { JournalKind, LeftoverContext, UndoContext } from './resource.ts';

export type PathKind = 'file' | 'directory' | 'link';

export interface PathEntry<K extends PathKind = PathKind> {
  readonly kind: K;
  readonly path: string;
  /** Its previous state; `backup` is the name of the copy of its content. */
  readonly before: 'absent' | { readonly facts: FileFacts; readonly backup: string };
}

const fileFacts = z
  .object({
    type: z.enum(['file', 'directory', 'link', 'other']),
    mode: z.string(),
    owner: z.string(),
    group: z.string(),
    sha256: z.string().optional(),
    target: z.string().optional(),
  })
  .transform(({ sha256, target, ...rest }) => ({
    ...rest,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(target === undefined ? {} : { target }),
  }));

/** The journal of a path stores its previous state, which may be of another kind. */
export function pathJournal<K extends PathKind>(kind: K): JournalKind<PathEntry<K>> {
  return {
    schema: z.object({
      kind: z.literal(kind),
      path: z.string(),
      before: z.union([z.literal('absent'), z.object({ facts: fileFacts, backup: z.string() })]),
    }),
    leftover: leftoverPath,
    undo: (entry, context) => ({ undo: undoPath(entry, context) }),
    restore: ({ path, before }) =>
      before === 'absent' ? [`gone ${pathWord(path)}`] : putBack(path, before.facts, before.backup),
  };
}

/** Makes the item of a change of a path. */
export function pathItem<R extends Shape & { readonly path: string }>(
  resource: R,
  action: Item['action'],
  title: string,
  diff: readonly string[],
): Item<R> {
  return { id: pathId(resource), action, title, diff, resource };
}

export function pathId({ kind, path }: Shape & { readonly path: string }): string {
  return `${kind}:${path}`;
}

/** Returns diff lines for a path whose type differs from the wanted one. */
export function typeLines(found: FileFacts): string[] {
  if (found.type === 'file') return [];
  return [found.type === 'link' ? `-link to ${found.target}` : `-${found.type}`];
}

type Rights = Pick<FileFacts, 'mode' | 'owner' | 'group'>;

/**
 * Returns diff lines of mode, owner and group where they differ, or where a new path does not have the default ones.
 * @param usual the default mode
 */
export function rightsLines(found: Rights | undefined, wanted: Rights, usual: string): string[] {
  const text = (one: Rights) => `mode ${one.mode} ${one.owner}:${one.group}`;
  if (found === undefined) return text(wanted) === `mode ${usual} root:root` ? [] : [`+${text(wanted)}`];
  return text(found) === text(wanted) ? [] : [`-${text(found)}`, `+${text(wanted)}`];
}

export function keepPath(kind: PathKind, path: string): string[] {
  return [`keep ${kind} ${quote(path)} ${quote(JSON.stringify(path))}`];
}

export function putLines(path: string, { owner, group, mode }: Rights, content: Buffer): string[] {
  const base64 = content.toString('base64').match(/.{1,120}/g) ?? [];
  return [`put ${[path, owner, group, mode].map(quote).join(' ')} <<'END'`, ...base64, 'END'];
}

export function removePath(path: string): string[] {
  return [`gone ${pathWord(path)}`];
}

function leftoverPath(
  entry: PathEntry,
  { facts, holdsData, containsOnlyOwnFiles }: LeftoverContext,
): UndoItem[] {
  const { kind, path, before } = entry;
  const found = facts.files[path];
  if (kind === 'directory' && holdsData(path)) return [];
  const id = `${kind}:${path}`;
  if (before === 'absent') {
    if (found === undefined) return [];
    if (kind === 'directory' && !containsOnlyOwnFiles(path)) return [];
    return [
      {
        id,
        action: removalAction(kind),
        title: `${path}: remove`,
        diff: [],
        reason: 'because it is no longer needed',
      },
    ];
  }
  if (found !== undefined && isSame(found, before.facts)) return [];
  return [
    {
      id,
      action: 'restore',
      title: `${path}: restore the state before mesosup`,
      diff: [],
      reason: 'because mesosup no longer needs it',
    },
  ];
}

/** `restore` removes an absent directory only if it is empty; `remove` removes it with its content. */
function removalAction(kind: PathKind): 'remove' | 'restore' {
  return kind === 'directory' ? 'restore' : 'remove';
}

function isSame(a: FileFacts, b: FileFacts): boolean {
  return (
    a.type === b.type &&
    a.sha256 === b.sha256 &&
    a.target === b.target &&
    (a.type === 'link' || (a.mode === b.mode && a.owner === b.owner && a.group === b.group))
  );
}

function undoPath({ kind, path, before }: PathEntry, { purge, isData, holdsData }: UndoContext): UndoItem[] {
  // mesosup's own directory is removed at the end of an uninstall.
  if (path === STATE) return [];
  const isDirectory = kind === 'directory';
  if (isDirectory && !purge && holdsData(path)) return [];
  const id = `${kind}:${path}`;
  if (before !== 'absent')
    return [{ id, action: 'restore', title: `${path}: restore the state before mesosup`, diff: [] }];
  if (isDirectory && isData(path)) return [wholeDirectory(path)];
  return [{ id, action: removalAction(kind), title: `${path}: remove`, diff: [] }];
}

export function wholeDirectory(path: string): UndoItem {
  return {
    id: `directory:${path}`,
    action: 'remove',
    title: `${path}: remove with its content`,
    diff: [],
    whole: true,
  };
}

function putBack(path: string, { type, owner, group, mode, target }: FileFacts, backup: string): string[] {
  const access = [owner, group, mode].map(quote).join(' ');
  switch (type) {
    case 'file':
      return [`put_back ${pathWord(path)} ${access} ${quote(backup)}`];
    case 'directory':
      return [`make_directory ${pathWord(path)} ${access}`];
    case 'link':
      return [`link ${pathWord(path)} ${pathWord(target ?? '')}`];
    case 'other':
      return [
        `say "${'$'}(printf %s ${pathWord(path)}) can not be restored: it was not a file, a directory or a link"`,
      ];
  }
}
