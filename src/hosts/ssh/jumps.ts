/** Parses jump hosts in the syntax of ProxyJump (pure). */

import { HostError } from '../host.ts';
import { badConfig, type Setting } from './config-lines.ts';

export interface Jump {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** The jump hosts before this one in the list. */
  readonly via?: readonly Jump[];
}

/**
 * Parses `[user@]host[:port]` or `ssh://…`, separated by commas, from the nearest to the farthest host, or `none`.
 * @param setting the setting that contains the text; missing for an override of this run
 * @throws HostError 'configuration'
 */
export function parseJumps(host: string, text: string, setting?: Setting): Jump[] {
  if (text.trim().toLowerCase() === 'none') return [];
  return text.split(',').map((part) => {
    const jump = parseJump(part.trim());
    if (jump) return jump;
    const what = `"${part}" is not a jump host: write [user@]host[:port]`;
    if (setting) throw badConfig(host, setting, what);
    throw new HostError(host, 'configuration', what, 'Write the bastion as [user@]host[:port].');
  });
}

function parseJump(text: string): Jump | null {
  const plain = text.replace(/^ssh:\/\//, '').replace(/\/$/, '');
  const match = /^(?:(.+)@)?(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:@[\]]+))(?::(\d{1,5}))?$/.exec(plain);
  const host = match?.[2] ?? match?.[3];
  if (!match || host === undefined || host.startsWith('-')) return null;
  const port = match[4] === undefined ? undefined : Number(match[4]);
  if (port !== undefined && (port < 1 || port > 65535)) return null;
  return {
    host,
    ...(match[1] === undefined ? {} : { user: match[1] }),
    ...(port === undefined ? {} : { port }),
  };
}
