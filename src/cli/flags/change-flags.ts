/** The flags of commands that change hosts. */

import { Flags } from '@oclif/core';

const helpGroup = 'CHANGE';

const yesFlag = Flags.boolean({
  char: 'y',
  summary: 'Change the hosts without asking for confirmation.',
  helpGroup,
});

const diffFlag = Flags.boolean({
  summary: 'Show every change with its diff before the question. Default: a summary.',
  helpGroup,
});

const timeoutFlag = Flags.integer({
  summary:
    'Give up when a wait makes no progress for this long. Default: 300, and 1800 while another process holds the dpkg lock.',
  helpValue: 'SECONDS',
  min: 1,
  helpGroup,
});

export const allowRemoveFlag = Flags.string({
  summary:
    'Let apt remove or downgrade these packages where they conflict with packages of the plan. Default: none.',
  helpValue: 'a,b,c',
  multiple: true,
  multipleNonGreedy: true,
  delimiter: ',',
  helpGroup,
});

export const allowAgentReplaceFlag = Flags.boolean({
  summary: "Allow changes that end an agent's tasks, for example a changed attribute.",
  helpGroup,
});

export const updateFlag = Flags.boolean({
  summary:
    'Install the newest packages on new hosts. Default: the versions that other hosts took (versions.lock).',
  helpGroup,
});

export const bundleFlag = Flags.string({
  summary:
    'Take all packages and keys from this file, and nothing from the network. Make it with: mesosup bundle',
  helpValue: 'FILE',
  helpGroup,
});

/** The flags of every command that changes hosts. */
export const changeFlags = { yes: yesFlag, diff: diffFlag, timeout: timeoutFlag };
