/** The flags for connections to hosts and for the record of a run. */

import { Flags } from '@oclif/core';
import type { ConnectOptions } from '../../install/operations/session.ts';

const helpGroup = 'CONNECTION';

export const inputFlag = Flags.boolean({
  default: true,
  allowNo: true,
  summary:
    'Ask for missing values on the terminal. --no-input asks nothing: the command fails and names the missing flag. Default: --input.',
});

export const connectFlags = {
  input: inputFlag,
  'accept-new-host-keys': Flags.boolean({
    summary: 'Accept and save the keys of unknown hosts. Changed keys are always refused.',
    helpGroup,
  }),
  'known-hosts': Flags.string({
    summary: "File of known hosts. Default: OpenSSH's files.",
    helpValue: 'FILE',
    helpGroup,
  }),
  'ssh-config': Flags.string({
    summary: "OpenSSH client configuration; none uses no file. Default: OpenSSH's files.",
    helpValue: 'FILE',
    helpGroup,
  }),
  'ask-sudo-password': Flags.boolean({
    summary:
      'Ask once for the sudo password of all hosts. Default: ask for each host whose sudo wants a password.',
    exclusive: ['sudo-password-file'],
    helpGroup,
  }),
  'sudo-password-file': Flags.string({
    summary: 'File with the sudo password of all hosts.',
    helpValue: 'FILE',
    helpGroup,
  }),
  concurrency: Flags.integer({
    summary: 'Maximum number of hosts to work on at the same time. Default: all.',
    helpValue: 'N',
    min: 1,
    helpGroup,
  }),
  verbose: Flags.boolean({
    summary: 'Save all scripts and their output on the hosts to a file, without secrets.',
    helpGroup,
  }),
};

export interface ConnectFlags {
  readonly input: boolean;
  readonly 'accept-new-host-keys': boolean;
  readonly 'known-hosts'?: string | undefined;
  readonly 'ssh-config'?: string | undefined;
  readonly 'ask-sudo-password': boolean;
  readonly 'sudo-password-file'?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly verbose: boolean;
}

export function connectOptions(flags: ConnectFlags): ConnectOptions {
  return {
    acceptNewHostKeys: flags['accept-new-host-keys'],
    knownHosts: flags['known-hosts'],
    sshConfig: flags['ssh-config'],
    askSudoPassword: flags['ask-sudo-password'],
    sudoPasswordFile: flags['sudo-password-file'],
    concurrency: flags.concurrency,
    verbose: flags.verbose,
  };
}
