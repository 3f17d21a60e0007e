/** Turns errors of ssh2 and of the system into errors about a host. */

import { HostError } from '../host.ts';
import { hostAndPort } from './command-line.ts';
import type { ConnectionPlan } from './route.ts';

/** The fields that ssh2 adds to its errors. */
interface Ssh2Error extends NodeJS.ErrnoException {
  readonly level?: string;
  /** The reason code of a refused channel, RFC 4254, 5.1. */
  readonly reason?: number | string;
}

export interface Progress {
  /** The host has presented an accepted key. */
  readonly keyVerified: boolean;
  readonly offered: readonly string[];
  readonly problems: readonly string[];
}

/**
 * True if sshd closed the connection before the handshake. sshd does this at random when too many clients connect at
 * the same time (MaxStartups), so the connection is worth another attempt.
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
      progress.offered.length === 0 ? 'found no key to offer' : `offered: ${progress.offered.join(', ')}`;
    const skipped = progress.problems.map((problem) => `; ${problem}`).join('');
    const many = /[Tt]oo many/.test(message)
      ? ' (too many keys were offered: name the right key, with IdentitiesOnly yes)'
      : '';
    return fail(
      'authentication',
      `the host rejected the login of ${plan.user}${many}; ${tried}${skipped}`,
      `Add your public key to ~${plan.user}/.ssh/authorized_keys on the host (ssh-copy-id), or name the right user and key.`,
    );
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail(
        'unreachable',
        `DNS does not know the name ${plan.hostname}`,
        'Correct the name, or use an IP address.',
      );
    case 'ECONNREFUSED':
      return fail(
        'unreachable',
        `no SSH server is listening at ${where}`,
        'Start sshd on the host, or correct the port.',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return fail(
        'unreachable',
        `no network route to ${where}`,
        'Check that the host is running and that its address is right. It may need a bastion.',
      );
    case 'ETIMEDOUT':
      if (level === 'client-socket') return fail('unreachable', `${where} does not answer`, TIMEOUT_REMEDY);
  }
  if (/no matching/i.test(message)) {
    return fail('unreachable', `no SSH algorithm in common: ${message}`, 'Upgrade sshd on the host.');
  }
  if (wasDropped(error, progress)) {
    return fail(
      'unreachable',
      `${where} closes each connection before the handshake`,
      'Check the log of sshd on the host (MaxStartups, PerSourcePenalties).',
    );
  }
  return fail('unreachable', `no SSH connection to ${where}: ${message}`, 'Run "ssh -v" to see the cause.');
}

const TIMEOUT_REMEDY =
  'Check that the host is running, that its address is right, and that its firewall allows the port. It may need a bastion.';

export function timedOut(plan: ConnectionPlan): HostError {
  const what = `${plan.host}: ${hostAndPort(plan)} did not open a shell within ${plan.timeout / 1000} s`;
  return new HostError(plan.host, 'unreachable', what, TIMEOUT_REMEDY);
}

/** The error of a bastion that refused or failed to connect to the host. */
export function forwardError(plan: ConnectionPlan, via: ConnectionPlan, error: unknown): HostError {
  const { message, reason } = error as Ssh2Error;
  const where = hostAndPort(plan);
  const reasonText = message.replace(/^\(SSH\) Channel open failure: /, '');
  const [what, remedy] =
    reason === 1
      ? [
          `${via.host} does not allow forwarded connections`,
          `Set AllowTcpForwarding yes in sshd_config on ${via.host}.`,
        ]
      : [`${via.host} can't reach ${where}: ${reasonText}`, `Check on ${via.host} that ${where} answers.`];
  return new HostError(plan.host, 'unreachable', `${plan.host}: ${what}`, remedy, error);
}
