/** The interface of a kind of resource. `registry.ts` lists the kinds, and calls them. */

import type { z } from 'zod';
import type { Secrets } from '../../cluster/secrets.ts';
import type { HostFacts } from '../host-facts.ts';
import type { Item, Shape, UndoItem } from '../item.ts';
import type { Targets } from '../probe-targets.ts';

/** A kind of resource: everything that the installer needs for it, from the probe to the uninstall. */
export interface ResourceKind<R extends Shape> {
  readonly kind: R['kind'];
  /** Schema of a resource in a saved plan. Fields of released versions must stay readable. */
  readonly stored: z.ZodType<R>;
  /** `kind:name`, unique on a host. */
  id(resource: R): string;
  /** Lists everything that `diff` reads and the probe must report. */
  targets(resource: R): Targets;
  /** Returns undefined when the host has the resource. */
  diff(resource: R, input: DiffInput): Item<R> | undefined;
  /** Returns lines of the script that record the state before the change in the host's journal. */
  keep(resource: R): string[];
  /**
   * Returns lines of the script that apply the item, and that can be repeated after an interrupted run.
   * @throws TypeError for an invalid item
   */
  steps(resource: R, item: Item<R>, context: StepContext): string[];
  /** Returns lines for an item `remove` or `stop` without a resource, which is no longer wanted. */
  remove?(name: string, item: UndoItem, context: StepContext): string[];
  /** Returns items of an uninstall for resources of mesosup that the facts show without a journal. */
  sweep?(facts: HostFacts): UndoItem[];
}

/** A kind with its own entries in the host's journal. */
export interface JournaledKind<R extends Shape, E extends Entry> extends ResourceKind<R> {
  readonly journal: JournalKind<E>;
}

/** An entry of the journal: a resource, with its state before the first change. */
export type Entry = { readonly kind: string } & ({ readonly path: string } | { readonly name: string });

/** Reads and undoes the journal entries of a kind. */
export interface JournalKind<E extends Entry> {
  /** Schema of a line of the journal. Lines of released versions must stay readable. */
  readonly schema: z.ZodType<E>;
  /** Merges a later entry for the same resource into the first. Without it only the first entry counts. */
  merge?(first: E, later: E): E;
  /** True: its leftovers are removed before all others. */
  readonly leavesFirst?: true;
  /**
   * Returns items for a resource that mesosup made and that is no longer wanted. Resources of a kind without this
   * member stay until the host is uninstalled, since other programs may use them by now.
   */
  leftover?(entry: E, context: LeftoverContext): UndoItem[];
  undo(entry: E, context: UndoContext): Undoing;
  /** Returns lines of the script that restore the previous state. */
  restore(entry: E): string[];
}

export interface DiffInput {
  readonly facts: HostFacts;
  readonly secrets: Secrets;
  readonly sha256: (text: string) => string;
  /** The items before this one in the plan. */
  readonly before: readonly Item[];
  /** Ids of all wanted resources. */
  readonly wanted: ReadonlySet<string>;
  /** The Mesos agent, whose tasks end when its service is removed. `hasRun`: the masters may know it. */
  readonly agent: { readonly service: string; readonly hasRun: boolean };
}

/** Inputs of the lines of a script, besides the plan. */
export interface StepContext {
  readonly journal: readonly Entry[];
  /** Undefined only if no file of the plan contains a secret. */
  readonly secrets: Secrets | undefined;
  /** The agent's work directory. */
  readonly agentWorkDir: string;
  /** The cluster's name. */
  readonly cluster: string;
}

export interface LeftoverContext {
  readonly facts: HostFacts;
  /** True of a directory of data, which a change of roles must not remove, and of its ancestors. */
  holdsData(path: string): boolean;
  /** True if the directory contains only files of mesosup, so that it will be empty when it is removed. */
  containsOnlyOwnFiles(path: string): boolean;
}

export interface UndoContext {
  readonly facts: HostFacts;
  /** Also remove data. */
  readonly purge: boolean;
  /** True of a directory that contains only data. */
  isData(path: string): boolean;
  /** True of a directory of data, and of its ancestors. */
  holdsData(path: string): boolean;
  /** True of the service of a package that mesosup installed, which is removed with the package. */
  wasInstalledByMesosup(service: string): boolean;
  isAgent(service: string): boolean;
  /** True of the service of the Docker engine. */
  isEngine(service: string): boolean;
}

/** Items of an uninstall, by phase. */
export interface Undoing {
  /** First phase, in reverse order of the journal. */
  readonly stop?: readonly UndoItem[];
  /** Second phase, in reverse order of the journal. */
  readonly undo?: readonly UndoItem[];
  /** Third phase, when everything of mesosup has been removed; in reverse order of the journal. */
  readonly bringBack?: readonly UndoItem[];
  /** Last phase, in the order of the journal. */
  readonly resume?: readonly UndoItem[];
}
