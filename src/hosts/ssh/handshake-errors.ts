/** What went wrong on the way to a shell, in terms of a host, from ssh2's and the system's errors. */

import { HostError } from '../host.ts';
import { hostAndPort } from './command-line.ts';
import type { ConnectionPlan } from './route.ts';

/** What ssh2 adds to its errors. */
interface Ssh2Error extends NodeJS.ErrnoException {
  readonly level?: string;
  /** Of a refused channel, by RFC 4254, 5.1. */
  readonly reason?: number | string;
}

export interface Progress {
  /** The host has shown a key that will do. */
  readonly keyVerified: boolean;
  readonly offered: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Whether sshd closed the connection before it said anything, as it does by chance when too many are being made at
 * once (MaxStartups): worth another try.
 */
export function wasDropped(error: unknown, progress: Progress): boolean {
  if (error instanceof HostError || progress.keyVerified) return false;
  const { message, code, level } = error as Ssh2Error;
  if (code === 'ECONNRESET' || code === 'EPIPE') return true;
  return (
    message === 'Connection lost before handshake' ||
    (message === 'No response from server' && level === undefined && code === 'ETIMEDOUT')
  );
}

export function handshakeError(plan: ConnectionPlan, error: unknown, progress: Progress): HostError {
  if (error instanceof HostError) return error;
  const { message, code, level } = error as Ssh2Error;
  const where = hostAndPort(plan);
  const fail = (failure: HostError['failure'], what: string, remedy: string) =>
    new HostError(plan.host, failure, `${plan.host}: ${what}`, remedy, error);
  if (level === 'client-authentication' || level === 'agent' || /authentication failures/.test(message)) {
    const tried =
      progress.offered.length === 0 ? 'no key was there to offer' : `offered: ${progress.offered.join(', ')}`;
    const passed = progress.problems.map((problem) => `; ${problem}`).join('');
    const many = /[Tt]oo many/.test(message)
      ? ' (too many keys were offered: name the right one, with IdentitiesOnly yes)'
      : '';
    return fail(
      'authentication',
      `${plan.user} may not log in there${many}; ${tried}${passed}`,
      `Put a public key of yours into ~${plan.user}/.ssh/authorized_keys there (ssh-copy-id), or name the right user and key.`,
    );
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail(
        'unreachable',
        `the name ${plan.hostname} is not known to DNS`,
        'Look for a slip in the name, or give an address.',
      );
    case 'ECONNREFUSED':
      return fail('unreachable', `nothing listens at ${where}`, 'Is sshd running there, and on this port?');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return fail(
        'unreachable',
        `there is no way to ${where}`,
        'Is the machine up, and the address right? It may need a bastion.',
      );
    case 'ETIMEDOUT':
      if (level === 'client-socket') return fail('unreachable', `${where} doesn't answer`, TIMEOUT_REMEDY);
  }
  if (/no matching/i.test(message)) {
    return fail('unreachable', `no algorithm both sides know: ${message}`, 'Bring its sshd up to date.');
  }
  if (wasDropped(error, progress)) {
    return fail(
      'unreachable',
      `${where} closes the connection before it begins, also when tried again`,
      'See the log of sshd there (MaxStartups, PerSourcePenalties), or who else uses it.',
    );
  }
  return fail('unreachable', `no SSH connection to ${where}: ${message}`, 'Look with "ssh -v" what happens.');
}

const TIMEOUT_REMEDY =
  'Is the machine up, the address right and the port open in its firewall? It may need a bastion.';

export function timedOut(plan: ConnectionPlan): HostError {
  const what = `${plan.host}: ${hostAndPort(plan)} gave no shell within ${plan.timeout / 1000} s`;
  return new HostError(plan.host, 'unreachable', what, TIMEOUT_REMEDY);
}

/** The bastion would not, or could not, connect to the host. */
export function forwardError(plan: ConnectionPlan, via: ConnectionPlan, error: unknown): HostError {
  const { message, reason } = error as Ssh2Error;
  const where = hostAndPort(plan);
  const said = message.replace(/^\(SSH\) Channel open failure: /, '');
  const [what, remedy] =
    reason === 1
      ? [
          `${via.host} doesn't let connections through`,
          `Set AllowTcpForwarding yes in sshd_config on ${via.host}.`,
        ]
      : [`${via.host} can't reach ${where}: ${said}`, `Look from ${via.host} whether ${where} answers.`];
  return new HostError(plan.host, 'unreachable', `${plan.host}: ${what}`, remedy, error);
}
