/** The interface of a kind of resource. `registry.ts` lists the kinds and dispatches to them. */

import type { z } from 'zod';
import type { Secrets } from '../../cluster/secrets.ts';
import type { HostFacts } from '../host-facts.ts';
import type { Item, Shape, UndoItem } from '../item.ts';
import type { Targets } from '../probe-targets.ts';

/** One kind of resource: everything the installer knows about it, from the probe to the uninstall. */
export interface ResourceKind<R extends Shape> {
  readonly kind: R['kind'];
  /** Of a resource in a saved plan. Fields of released versions must stay readable. */
  readonly stored: z.ZodType<R>;
  /** `kind:name`, unique on a host. */
  id(resource: R): string;
  /** Lists what the probe has to report so that `diff` can tell whether the host has the resource. */
  targets(resource: R): Targets;
  /** Returns undefined when the host has the resource. */
  diff(resource: R, input: DiffInput): Item<R> | undefined;
  /** Lines of the script that write the state before the change into the host's journal. */
  keep(resource: R): string[];
  /**
   * Lines of the script that do the item, whatever was done of it before.
   * @throws TypeError for an item that is not one of a plan
   */
  steps(resource: R, item: Item<R>, context: StepContext): string[];
  /** Lines for an item `remove` or `stop` without a resource: nobody wants it any more, and no journal needs it. */
  remove?(name: string, item: UndoItem, context: StepContext): string[];
  /** Items of an uninstall for what the facts alone show to be ours. */
  sweep?(facts: HostFacts): UndoItem[];
}

/** A kind that the host's journal remembers under its own name. */
export interface JournaledKind<R extends Shape, E extends Entry> extends ResourceKind<R> {
  readonly journal: JournalKind<E>;
}

/** The first change of something, with its state before. */
export type Entry = { readonly kind: string } & ({ readonly path: string } | { readonly name: string });

/** How a kind's entries in the journal are read and undone. */
export interface JournalKind<E extends Entry> {
  /** Of one line of the journal. Lines of released versions must stay readable. */
  readonly schema: z.ZodType<E>;
  /** What a later entry for the same thing adds to the first. Without it the first entry alone counts. */
  merge?(first: E, later: E): E;
  /** True: it goes before all else that is wanted no more. */
  readonly leavesFirst?: true;
  /**
   * Items for what was ours once and is wanted no more. A kind without it stays until the host is uninstalled, since
   * others may have come to use it.
   */
  leftover?(entry: E, context: LeftoverContext): UndoItem[];
  undo(entry: E, context: UndoContext): Undoing;
  /** Lines of the script that put back the state before. */
  restore(entry: E): string[];
}

export interface DiffInput {
  readonly facts: HostFacts;
  readonly secrets: Secrets;
  readonly sha256: (text: string) => string;
  /** The plan so far. */
  readonly before: readonly Item[];
  /** Ids of all that the host should have. */
  readonly wanted: ReadonlySet<string>;
  /** The Mesos agent, whose tasks end with its service: whether the masters may know it. */
  readonly agent: { readonly service: string; readonly hasRun: boolean };
}

/** What the lines of a script depend on besides the plan. */
export interface StepContext {
  readonly journal: readonly Entry[];
  /** Missing only where no file of the plan holds a secret. */
  readonly secrets: Secrets | undefined;
  /** Where the agent keeps its state. */
  readonly agentWorkDir: string;
  /** The cluster's name. */
  readonly cluster: string;
}

export interface LeftoverContext {
  readonly facts: HostFacts;
  /** True of a directory of data, which no change of roles throws away, and of those above it. */
  holdsData(path: string): boolean;
  /** True when all that lies in the directory is ours, so that it is empty by the time its turn comes. */
  isEmptyOfOthers(path: string): boolean;
}

export interface UndoContext {
  readonly facts: HostFacts;
  /** Data goes too. */
  readonly purge: boolean;
  /** True of a directory that is data as a whole. */
  isData(path: string): boolean;
  /** True of a directory of data and of those above it. */
  holdsData(path: string): boolean;
  /** True of a service that a package of ours brought: it goes with it. */
  cameWithUs(service: string): boolean;
  isAgent(service: string): boolean;
  /** True of the service of the Docker engine. */
  isEngine(service: string): boolean;
}

/** Items of an uninstall, by when they are done. */
export interface Undoing {
  /** Before anything goes; what was changed last comes first. */
  readonly stop?: readonly UndoItem[];
  /** What was changed last comes first. */
  readonly undo?: readonly UndoItem[];
  /** Once all of ours is gone; what was changed last comes first. */
  readonly bringBack?: readonly UndoItem[];
  /** At the end, in the order of the journal. */
  readonly resume?: readonly UndoItem[];
}
