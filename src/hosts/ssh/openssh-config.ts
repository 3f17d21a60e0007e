/** A connection's plan as a configuration of OpenSSH, so that its ssh does what the plan says and nothing else (pure). */

import { HostError } from '../host.ts';
import { quote } from '../quote.ts';
import { type ConnectionPlan, filedName, type ProxyCommand } from './route.ts';

/** The name by which the configuration knows the host. */
export const TARGET = 'target';
/** Seconds for which a connection outlives this program when nothing uses it. */
const PERSIST = 60;

/** Where the files of a connection are. */
export interface OpenSshFiles {
  readonly config: string;
  /** The socket by which the connection is shared. */
  readonly control: string;
  /** What the programs on the way write to standard error, which ssh would throw away. */
  readonly way: string;
}

/** @throws HostError 'configuration' for a value that can't be written */
export function openSshConfig(plan: ConnectionPlan, files: OpenSshFiles): string {
  const lines = [
    `Host ${TARGET}`,
    '  ControlMaster auto',
    `  ControlPath ${value(plan, files.control)}`,
    `  ControlPersist ${PERSIST}`,
    ...sectionLines(plan, files, 'hop1'),
  ];
  for (let hop = plan.via, count = 1; hop; hop = hop.via, count++) {
    lines.push(`Host hop${count}`, ...sectionLines(hop, files, `hop${count + 1}`));
  }
  // Nobody is asked anything: many hosts are connected to at once.
  return [...lines, 'Host *', '  BatchMode yes', '  RequestTTY no', ''].join('\n');
}

/** @param next the section of the host to go through, if there is one */
function sectionLines(hop: ConnectionPlan, files: OpenSshFiles, next: string): string[] {
  const { hostname, port, proxyCommand, via } = hop;
  const lines = hopLines(hop);
  if (proxyCommand) lines.push(wayLine(proxyCommand, files));
  else if (via) {
    const words = ['ssh', '-F', files.config, '-W', `[${hostname}]:${port}`, next];
    lines.push(wayLine({ shell: '/bin/sh', command: words.map(quote).join(' ') }, files));
  }
  return lines.map((line) => `  ${line}`);
}

function wayLine({ shell, command }: Pick<ProxyCommand, 'shell' | 'command'>, { way }: OpenSshFiles): string {
  const words = ['/bin/sh', '-c', 'exec 2>>"$0"; exec "$1" -c "$2"', way, shell, `exec ${command}`];
  return `ProxyCommand ${words.map(quote).join(' ').replaceAll('%', '%%')}`;
}

function hopLines(hop: ConnectionPlan): string[] {
  const { hostKey } = hop;
  const quoted = (text: string) => value(hop, text);
  const files = (list: readonly string[]) => (list.length > 0 ? list.map(quoted).join(' ') : 'none');
  const alias = hostKey.name === filedName(hop.hostname, hop.port) ? [] : [hostKey.name];
  return [
    `HostName ${quoted(hop.hostname)}`,
    `Port ${hop.port}`,
    `User ${quoted(hop.user)}`,
    ...alias.map((name) => `HostKeyAlias ${quoted(name)}`),
    ...(hop.identities.length > 0 ? hop.identities : [{ file: 'none' }]).map(
      ({ file }) => `IdentityFile ${quoted(file)}`,
    ),
    ...hop.certificateFiles.map((file) => `CertificateFile ${quoted(file)}`),
    `IdentitiesOnly ${hop.identitiesOnly ? 'yes' : 'no'}`,
    `IdentityAgent ${quoted(hop.agent ?? 'none')}`,
    `UserKnownHostsFile ${files(hostKey.userFiles)}`,
    `GlobalKnownHostsFile ${files(hostKey.globalFiles)}`,
    `StrictHostKeyChecking ${hostKey.policy === 'strict' ? 'yes' : 'accept-new'}`,
    `HashKnownHosts ${hostKey.hash ? 'yes' : 'no'}`,
    `ConnectTimeout ${Math.ceil(hop.timeout / 1000)}`,
    `ServerAliveInterval ${Math.ceil(hop.keepalive.interval / 1000)}`,
    `ServerAliveCountMax ${hop.keepalive.count}`,
  ];
}

/** A word as ssh_config reads it back; its tokens have been replaced. */
function value({ host }: ConnectionPlan, text: string): string {
  if (!/["\p{Cc}]/u.test(text)) return `"${text.replaceAll('%', '%%')}"`;
  const message = `${host}: OpenSSH's configuration can't hold ${JSON.stringify(text)}`;
  throw new HostError(host, 'configuration', message, 'Use a name without quotes and control characters.');
}
