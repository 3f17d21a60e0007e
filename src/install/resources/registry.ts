/**
 * All kinds of resources. To add a kind, add a file in this directory and a line in `KINDS`: all other code uses the
 * functions below. A kind that is not in the list is not part of the type `Resource`.
 */

import type { z } from 'zod';
import { isJson } from '../../json.ts';
import { unionByKind } from '../../stored/record.ts';
import type { HostFacts } from '../host-facts.ts';
import { type Item, idParts, type UndoItem } from '../item.ts';
import type { Targets } from '../probe-targets.ts';
import { absentKind } from './absent.ts';
import { aptKeyKind } from './apt-key.ts';
import { directoryKind } from './directory.ts';
import { fileKind } from './file.ts';
import { imageKind } from './image.ts';
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
  imageKind,
  serviceKind,
] as const;

type Kind = (typeof KINDS)[number];
type ShapeOf<K> = K extends ResourceKind<infer R> ? R : never;
type EntryOf<K> = K extends { readonly journal: { readonly schema: z.ZodType<infer E> } } ? E : never;

/** A resource of a host, for install, start, stop and uninstall. */
export type Resource = ShapeOf<Kind>;

/** A line of a host's journal. */
export type JournalEntry = EntryOf<Kind>;

type AnyKind = ResourceKind<Resource> & { readonly journal?: JournalKind<JournalEntry> };

const BY_NAME: ReadonlyMap<string, AnyKind> = new Map(
  KINDS.map((kind: AnyKind) => [kind.kind, kind] as const),
);

/** @throws TypeError for an unknown kind, which a plan of another release may contain */
function kindOf(name: string): AnyKind {
  const kind = BY_NAME.get(name);
  if (kind === undefined) throw new TypeError(`there is no kind of resource "${name}"`);
  return kind;
}

function journalOf({ kind }: JournalEntry): JournalKind<JournalEntry> {
  const { journal } = kindOf(kind);
  if (journal === undefined) throw new TypeError(`the kind "${kind}" has no journal`);
  return journal;
}

/** The schema of a resource in a saved plan. */
export const storedResource = unionByKind(KINDS.map(({ stored }: AnyKind) => stored));

/** `kind:name`, unique on a host. */
export function resourceId(resource: Resource): string {
  return kindOf(resource.kind).id(resource);
}

export interface ScriptContext extends StepContext {
  /** The state of the host before mesosup, for `restore`. */
  readonly journal: readonly JournalEntry[];
}

/** Returns the targets that a probe must read for the resource. */
export function resourceTargets(resource: Resource): Targets {
  return kindOf(resource.kind).targets(resource);
}

/** Undefined when the host has the resource. */
export function diffResource(resource: Resource, input: DiffInput): Item<Resource> | undefined {
  return kindOf(resource.kind).diff(resource, input);
}

/** Returns lines that record the state of the item's resource in the journal before it changes. */
export function keepLines({ resource, action }: Item<Resource>): string[] {
  return resource === undefined || action === 'restore' ? [] : kindOf(resource.kind).keep(resource);
}

/**
 * Returns lines that apply one item, and that can be repeated after an interrupted run.
 * @throws TypeError for an invalid item
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
  if (lines === undefined)
    throw new TypeError(`the plan's item ${id} with the action ${action} has no resource`);
  return lines;
}

function restoreLines(id: string, { journal }: ScriptContext): string[] {
  const { kind, name } = idParts(id);
  // The previous state may be of another kind.
  const entry = journal.find((known) =>
    'path' in known ? known.path === name : known.kind === kind && known.name === name,
  );
  if (entry === undefined) throw new TypeError(`the host's journal has no entry for ${id}`);
  return journalOf(entry).restore(entry);
}

/** Parses a line of a journal, given as JSON value. Undefined if it is not an entry. */
export function parseEntry(line: unknown): JournalEntry | undefined {
  const kind = isJson(line) ? line.kind : undefined;
  return BY_NAME.get(String(kind))?.journal?.schema.safeParse(line).data;
}

/** Tells if a kind is stored in journals. */
export function isJournaledKind(name: unknown): boolean {
  return BY_NAME.get(String(name))?.journal !== undefined;
}

/** Merges two entries for the same resource. */
export function mergeEntries(first: JournalEntry, later: JournalEntry): JournalEntry {
  return (first.kind === later.kind && journalOf(first).merge?.(first, later)) || first;
}

/** True of an entry whose leftover is removed before all others. */
export function leavesFirst(entry: JournalEntry): boolean {
  return journalOf(entry).leavesFirst === true;
}

/** Returns items for an entry whose resource is no longer wanted. */
export function leftoverItems(entry: JournalEntry, context: LeftoverContext): readonly UndoItem[] {
  return journalOf(entry).leftover?.(entry, context) ?? [];
}

/** Returns items of an uninstall for an entry. */
export function undoEntry(entry: JournalEntry, context: UndoContext): Undoing {
  return journalOf(entry).undo(entry, context);
}

/** Returns items of an uninstall for resources of mesosup that are found without a journal. */
export function sweepItems(facts: HostFacts): readonly UndoItem[] {
  return KINDS.flatMap((kind: AnyKind) => kind.sweep?.(facts) ?? []);
}
