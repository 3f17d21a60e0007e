/** The flags that say how hosts are reached and what is kept of a run. */

import { Flags } from '@oclif/core';
import type { ConnectOptions } from '../../install/operations/session.ts';

const helpGroup = 'CONNECTION';

export const inputFlag = Flags.boolean({
  default: true,
  allowNo: true,
  summary:
    'Ask what no flag answers. With --no-input nothing is asked: it fails, and says which flag answers.',
});

export const connectFlags = {
  input: inputFlag,
  'accept-new-host-keys': Flags.boolean({
    summary: 'Accept the keys of hosts that are not known yet, and write them down. Changed keys never are.',
    helpGroup,
  }),
  'known-hosts': Flags.string({ summary: "Instead of OpenSSH's files.", helpValue: 'FILE', helpGroup }),
  'ssh-config': Flags.string({
    summary: "Instead of OpenSSH's own; none for no file at all.",
    helpValue: 'FILE',
    helpGroup,
  }),
  'ask-sudo-password': Flags.boolean({
    summary: 'Ask for the sudo password once for all hosts. Without it, hosts whose sudo asks are asked for.',
    exclusive: ['sudo-password-file'],
    helpGroup,
  }),
  'sudo-password-file': Flags.string({
    summary: 'Holds the sudo password of all hosts.',
    helpValue: 'FILE',
    helpGroup,
  }),
  concurrency: Flags.integer({
    summary: 'At most so many hosts at once; all without it.',
    helpValue: 'N',
    min: 1,
    helpGroup,
  }),
  verbose: Flags.boolean({
    summary: 'Keep all that ran on the hosts and what it wrote in a file, without the secrets.',
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
