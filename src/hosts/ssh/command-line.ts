/** Writes an ssh command that reaches a host the same way as mesosup, for messages (pure). */

import { quote } from '../quote.ts';
import type { ConnectionPlan } from './route.ts';

/** `ssh` with options, jump hosts, port and user. */
export function sshCommandLine(plan: ConnectionPlan, options: readonly string[] = []): string {
  const jumps: string[] = [];
  for (let via = plan.via; via; via = via.via) jumps.unshift(`${via.user}@${hostAndPort(via)}`);
  const words = [
    'ssh',
    ...options,
    ...(jumps.length > 0 ? ['-J', jumps.join(',')] : []),
    ...(plan.port === 22 ? [] : ['-p', String(plan.port)]),
    `${plan.user}@${plan.hostname}`,
  ];
  return words.map(quote).join(' ');
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostAndPort({ hostname, port }: Pick<ConnectionPlan, 'hostname' | 'port'>): string {
  return `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
}
