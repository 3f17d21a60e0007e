/** The flags of commands that start a deployment. */

import { Flags } from '@oclif/core';

const helpGroup = 'DEPLOYMENT';

export const waitFlags = {
  wait: Flags.boolean({
    default: true,
    allowNo: true,
    summary: 'Wait for the end of the deployment. Default: --wait.',
    helpGroup,
  }),
  force: Flags.boolean({ summary: 'Cancel a running deployment of the same apps.', helpGroup }),
};
