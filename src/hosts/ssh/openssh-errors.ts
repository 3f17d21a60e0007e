/** Why OpenSSH's ssh did not connect, from what it wrote (pure). Its texts are not translated. */

import { HostError, type HostFailure } from '../host.ts';
import { plainLines } from '../plain-lines.ts';
import { sshCommandLine } from './command-line.ts';
import type { ConnectionPlan } from './route.ts';

/** So many of its last lines are quoted. */
const MAX_LINES = 4;

const KINDS: readonly (readonly [RegExp, HostFailure])[] = [
  [/Host key verification failed|host key .*revoked|REMOTE HOST IDENTIFICATION/i, 'host-key'],
  [/Permission denied|Too many authentication failures/, 'authentication'],
];

export function openSshError(plan: ConnectionPlan, certificate: string, text: string): HostError {
  const failure = KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'unreachable';
  const message = `${plan.host}: ssh did not connect: ${shown(plan, text) || 'it gave no reason'}`;
  return new HostError(plan.host, failure, message, remedy(plan, certificate, failure));
}

function remedy(plan: ConnectionPlan, certificate: string, failure: HostFailure): string {
  switch (failure) {
    case 'host-key':
      return `Compare the host's certificate ("ssh-keygen -L -f /etc/ssh/ssh_host_ed25519_key-cert.pub" there: its dates and principals) with the lines for the host in ${plan.hostKey.userFiles[0] ?? 'the files of known hosts'}.`;
    case 'authentication':
      return `ssh was used because of ${certificate}. Check its dates and principals with "ssh-keygen -L -f FILE", and that the host trusts its authority (TrustedUserCAKeys). Load a locked key into an agent first (ssh-add), because ssh can't ask for a pass phrase here.`;
    default:
      return `Run this to see more: ${sshCommandLine(plan, ['-v'])}`;
  }
}

/** Whether sshd closed the connection before anything was said, as it does by chance when many are being made. */
export function wasDroppedEarly(text: string): boolean {
  return text.includes('kex_exchange_identification:');
}

/** The lines by which ssh reports a new host key. */
export function newKeys(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('Warning: Permanently added'));
}

/** The last lines, without what is no reason: new keys, and default keys that are not there. */
export function shown({ identities }: ConnectionPlan, text: string): string {
  const unnamed = identities.filter(({ named }) => !named).map(({ file }) => `no such identity: ${file}:`);
  return plainLines(text)
    .filter((line) => !line.startsWith('Warning: Permanently added'))
    .filter((line) => !unnamed.some((start) => line.startsWith(start)))
    .slice(-MAX_LINES)
    .join(' / ');
}
