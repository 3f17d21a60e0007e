/** The flags of commands that change hosts, and what those commands do with them. */

import { Flags } from '@oclif/core';

const helpGroup = 'CHANGE';

export const yesFlag = Flags.boolean({
  char: 'y',
  summary: 'Do not ask before the hosts are changed.',
  helpGroup,
});

export const timeoutFlag = Flags.integer({
  summary:
    'How long nothing may change while something is waited for; 300 without it, and 1800 for a dpkg lock that somebody holds.',
  helpValue: 'SECONDS',
  min: 1,
  helpGroup,
});

export const allowRemoveFlag = Flags.string({
  summary: 'Packages on the hosts that apt may remove or downgrade to make room for those of the plan.',
  helpValue: 'a,b,c',
  multiple: true,
  multipleNonGreedy: true,
  delimiter: ',',
  helpGroup,
});

export const allowAgentReplaceFlag = Flags.boolean({
  summary: "Allow what ends an agent's tasks, such as another value of an attribute.",
  helpGroup,
});
