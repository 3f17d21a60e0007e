/** The argument of commands for one host. */

import { Args } from '@oclif/core';

export const hostArgument = Args.string({
  name: 'HOST',
  description: 'The name of a host in cluster.yaml.',
  required: true,
  ignoreStdin: true,
});
