/** What a user wants to upgrade, and how fast. */

import type { Pace } from './stages.ts';
import type { UpgradeChoice } from './targets.ts';

/** Brings newer versions to an installed cluster. */
export interface UpgradeIntent extends UpgradeChoice, Pace {
  readonly command: 'upgrade';
  readonly allowRemove?: readonly string[];
  /** Seconds without a change after which the tasks of a drain end that no other agent can take. */
  readonly moveSeconds?: number | undefined;
}
