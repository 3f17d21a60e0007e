/**
 * All kinds of resources. A new kind is a file beside this one and a line in `KINDS`: everything else goes through the
 * functions below. What is not in the list is no `Resource`, so it can't be wanted.
 */

import { z } from 'zod';
import type { HostFacts } from '../host-facts.ts';
import { type Item, idParts, type UndoItem } from '../item.ts';
import type { Targets } from '../probe-targets.ts';
import { absentKind } from './absent.ts';
import { aptKeyKind } from './apt-key.ts';
import { directoryKind } from './directory.ts';
import { fileKind } from './file.ts';
import { linkKind } from './link.ts';
import { packageKind } from './package.ts';
import { payloadKind } from './payload.ts';
import type {
  DiffInput,
  JournalKind,
  LeftoverContext,
  ResourceKind,
  StepContext,
  UndoContext,
  Undoing,
} from './resource.ts';
import { serviceKind } from './service-kind.ts';
import { userKind } from './user.ts';

const KINDS = [
  fileKind,
  directoryKind,
  linkKind,
  absentKind,
  aptKeyKind,
  packageKind,
  userKind,
  payloadKind,
  serviceKind,
] as const;

type Kind = (typeof KINDS)[number];
type ShapeOf<K> = K extends ResourceKind<infer R> ? R : never;
type EntryOf<K> = K extends { readonly journal: { readonly schema: z.ZodType<infer E> } } ? E : never;

/** What a host should have: the same list serves install, start, stop and uninstall. */
export type Resource = ShapeOf<Kind>;

/** A line of a host's journal. */
export type JournalEntry = EntryOf<Kind>;

type AnyKind = ResourceKind<Resource> & { readonly journal?: JournalKind<JournalEntry> };

const BY_NAME: ReadonlyMap<string, AnyKind> = new Map(
  KINDS.map((kind: AnyKind) => [kind.kind, kind] as const),
);

/** @throws TypeError for a kind that isn't there, as a plan of another program may have */
function kindOf(name: string): AnyKind {
  const kind = BY_NAME.get(name);
  if (kind === undefined) throw new TypeError(`there is no kind of resource "${name}"`);
  return kind;
}

function journalOf({ kind }: JournalEntry): JournalKind<JournalEntry> {
  const { journal } = kindOf(kind);
  if (journal === undefined) throw new TypeError(`no journal knows the kind "${kind}"`);
  return journal;
}

/** The schema of a resource in a saved plan. */
export const storedResource = z.discriminatedUnion(
  'kind',
  KINDS.map(({ stored }: AnyKind) => stored) as unknown as [z.ZodObject, ...z.ZodObject[]],
) as unknown as z.ZodType<Resource>;

/** `kind:name`, unique on a host. */
export function resourceId(resource: Resource): string {
  return kindOf(resource.kind).id(resource);
}

export interface ScriptContext extends StepContext {
  /** What was on the host before us, for `restore`. */
  readonly journal: readonly JournalEntry[];
}

/** What a probe has to look at for the resource. */
export function resourceTargets(resource: Resource): Targets {
  return kindOf(resource.kind).targets(resource);
}

/** Undefined when the host has it. */
export function diffResource(resource: Resource, input: DiffInput): Item<Resource> | undefined {
  return kindOf(resource.kind).diff(resource, input);
}

/** Lines that put into the journal what the item's resource is before it is changed. */
export function keepLines({ resource, action }: Item<Resource>): string[] {
  return resource === undefined || action === 'restore' ? [] : kindOf(resource.kind).keep(resource);
}

/**
 * Lines that do one item, whatever was done of it before.
 * @throws TypeError for an item that is not one of a plan
 */
export function stepLines(item: Item<Resource>, context: ScriptContext): string[] {
  const { resource, ...rest } = item;
  if (item.action === 'repair') return ['repair'];
  if (item.action === 'restore') return restoreLines(item.id, context);
  if (resource !== undefined) return kindOf(resource.kind).steps(resource, item, context);
  return removeLines(rest, context);
}

function removeLines(item: UndoItem, context: ScriptContext): string[] {
  const { id, action } = item;
  const { kind, name } = idParts(id);
  const lines =
    action === 'remove' || action === 'stop' ? BY_NAME.get(kind)?.remove?.(name, item, context) : undefined;
  if (lines === undefined) throw new TypeError(`the plan's item ${id}: ${action} says not what it wants`);
  return lines;
}

function restoreLines(id: string, { journal }: ScriptContext): string[] {
  const { kind, name } = idParts(id);
  // What was there before may have been of another kind.
  const entry = journal.find((known) =>
    'path' in known ? known.path === name : known.kind === kind && known.name === name,
  );
  if (entry === undefined) throw new TypeError(`the host's journal knows nothing of ${id}`);
  return journalOf(entry).restore(entry);
}

/** The entry in a line of a journal, read as JSON; undefined of anything else. */
export function parseEntry(line: unknown): JournalEntry | undefined {
  const kind = typeof line === 'object' && line !== null && 'kind' in line ? line.kind : undefined;
  return BY_NAME.get(String(kind))?.journal?.schema.safeParse(line).data;
}

/** True of the kinds that journals of hosts remember. */
export function isJournaledKind(name: unknown): boolean {
  return BY_NAME.get(String(name))?.journal !== undefined;
}

/** What the journal says of one thing of which it has two entries. */
export function mergeEntries(first: JournalEntry, later: JournalEntry): JournalEntry {
  return (first.kind === later.kind && journalOf(first).merge?.(first, later)) || first;
}

/** True of what goes before all else that is wanted no more. */
export function leavesFirst(entry: JournalEntry): boolean {
  return journalOf(entry).leavesFirst === true;
}

/** Items for an entry whose resource is wanted no more. */
export function leftoverItems(entry: JournalEntry, context: LeftoverContext): readonly UndoItem[] {
  return journalOf(entry).leftover?.(entry, context) ?? [];
}

/** Items of an uninstall for an entry. */
export function undoEntry(entry: JournalEntry, context: UndoContext): Undoing {
  return journalOf(entry).undo(entry, context);
}

/** Items of an uninstall for what the facts alone show to be ours. */
export function sweepItems(facts: HostFacts): readonly UndoItem[] {
  return KINDS.flatMap((kind: AnyKind) => kind.sweep?.(facts) ?? []);
}
