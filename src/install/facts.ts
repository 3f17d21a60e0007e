/** What a host is found to be: the answer of one probe, read whole. Nothing of it is written back into the spec. */

import type { HostFacts, OwnFacts } from './host-facts.ts';
import type { JournalEntry } from './resources/registry.ts';

export interface Facts extends HostFacts {
  readonly mesosup: MesosupFacts;
}

export interface MesosupFacts extends OwnFacts {
  /** What was there before us, oldest first. */
  readonly journal: readonly JournalEntry[];
}
