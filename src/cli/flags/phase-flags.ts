/** The flags of commands that change a cluster by phases. */

import { Flags } from '@oclif/core';
import { changeFlags } from './change-flags.ts';
import { specFlags } from './cluster-flags.ts';
import { connectFlags } from './connect-flags.ts';

export const phaseFlags = {
  ...specFlags,
  ...connectFlags,
  'dry-run': Flags.boolean({
    summary: 'Show the phases, and change nothing. Exits with 3 if there are changes.',
    helpGroup: 'CHANGE',
  }),
  ...changeFlags,
};
