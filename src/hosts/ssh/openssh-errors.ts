/** Finds out from the output of OpenSSH's ssh why it did not connect (pure). ssh does not translate its messages. */

import { HostError, type HostFailure } from '../host.ts';
import { plainLines } from '../plain-lines.ts';
import { sshCommandLine } from './command-line.ts';
import type { ConnectionPlan } from './route.ts';

/** Number of last lines that are quoted. */
const MAX_LINES = 4;

const KINDS: readonly (readonly [RegExp, HostFailure])[] = [
  [/Host key verification failed|host key .*revoked|REMOTE HOST IDENTIFICATION/i, 'host-key'],
  [/Permission denied|Too many authentication failures/, 'authentication'],
];

export function openSshError(plan: ConnectionPlan, certificate: string, text: string): HostError {
  const failure = KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'unreachable';
  const message = `${plan.host}: ssh did not connect: ${reasonLines(plan, text) || 'it gave no reason'}`;
  return new HostError(plan.host, failure, message, remedy(plan, certificate, failure));
}

function remedy(plan: ConnectionPlan, certificate: string, failure: HostFailure): string {
  switch (failure) {
    case 'host-key':
      return `Compare the dates and principals of the host's certificate (run "ssh-keygen -L -f /etc/ssh/ssh_host_ed25519_key-cert.pub" on the host) with the lines for the host in ${plan.hostKey.userFiles[0] ?? 'the files of known hosts'}.`;
    case 'authentication':
      return `ssh was used because of ${certificate}. Check its dates and principals with "ssh-keygen -L -f FILE", and that the host trusts its authority (TrustedUserCAKeys). Load a key with a pass phrase into an SSH agent first (ssh-add): mesosup can't ask for it here.`;
    default:
      return `Run this to see the cause: ${sshCommandLine(plan, ['-v'])}`;
  }
}

/** True if sshd closed the connection before the handshake, which it does at random when many clients connect. */
export function wasDroppedEarly(text: string): boolean {
  return text.includes('kex_exchange_identification:');
}

/** The lines in which ssh reports new host keys. */
export function newKeys(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('Warning: Permanently added'));
}

/** The last lines, without those about new host keys and missing default keys. */
export function reasonLines({ identities }: ConnectionPlan, text: string): string {
  const unnamed = identities.filter(({ named }) => !named).map(({ file }) => `no such identity: ${file}:`);
  return plainLines(text)
    .filter((line) => !line.startsWith('Warning: Permanently added'))
    .filter((line) => !unnamed.some((start) => line.startsWith(start)))
    .slice(-MAX_LINES)
    .join(' / ');
}
