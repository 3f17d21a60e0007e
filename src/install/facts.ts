/** The facts of a host: the parsed answer of one probe. They are never written back into the spec. */

import type { HostFacts, OwnFacts } from './host-facts.ts';
import type { JournalEntry } from './resources/registry.ts';

export interface Facts extends HostFacts {
  readonly mesosup: MesosupFacts;
}

export interface MesosupFacts extends OwnFacts {
  /** The host's state before mesosup, oldest entry first. */
  readonly journal: readonly JournalEntry[];
}
