import { Args } from '@oclif/core';

export const deploymentArgument = Args.string({
  name: 'DEPLOYMENT',
  description: 'The id of a running deployment.',
  required: true,
  ignoreStdin: true,
});
