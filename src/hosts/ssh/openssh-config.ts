/** Writes a connection plan as an OpenSSH configuration, so that ssh follows exactly the plan (pure). */

import { HostError } from '../host.ts';
import { quote } from '../quote.ts';
import { type ConnectionPlan, knownHostsName, type ProxyCommand } from './route.ts';

/** The host's name in the configuration. */
export const TARGET = 'target';
/** Seconds for which an unused connection outlives this program. */
const PERSIST = 60;

/** The paths of a connection's files. */
export interface OpenSshFiles {
  readonly config: string;
  /** The socket for sharing the connection (ControlPath). */
  readonly control: string;
  /** Collects the standard error of ProxyCommands, which ssh would discard. */
  readonly way: string;
}

/**
 * For commands that share one connection.
 * @throws HostError 'configuration' for a value that can't be written
 */
export function openSshConfig(plan: ConnectionPlan, files: OpenSshFiles): string {
  const sharing = [
    'ControlMaster auto',
    `ControlPath ${value(plan, files.control)}`,
    `ControlPersist ${PERSIST}`,
  ];
  // ssh must not ask questions, because many hosts are connected to at the same time.
  return [...sections(plan, files, sharing), 'Host *', '  BatchMode yes', '  RequestTTY no', ''].join('\n');
}

/**
 * For a user in a terminal: ssh asks its questions itself, and shows errors of jump hosts.
 * @param config the path of the configuration
 * @throws HostError 'configuration' for a value that can't be written
 */
export function terminalConfig(plan: ConnectionPlan, config: string): string {
  return [...sections(plan, { config, way: '/dev/stderr' }, []), ''].join('\n');
}

type SectionFiles = Pick<OpenSshFiles, 'config' | 'way'>;

function sections(plan: ConnectionPlan, files: SectionFiles, first: readonly string[]): string[] {
  const lines = [`Host ${TARGET}`, ...first.map((line) => `  ${line}`), ...sectionLines(plan, files, 'hop1')];
  for (let hop = plan.via, count = 1; hop; hop = hop.via, count++) {
    lines.push(`Host hop${count}`, ...sectionLines(hop, files, `hop${count + 1}`));
  }
  return lines;
}

/** @param next the section of the jump host, if there is one */
function sectionLines(hop: ConnectionPlan, files: SectionFiles, next: string): string[] {
  const { hostname, port, proxyCommand, via } = hop;
  const lines = hopLines(hop);
  if (proxyCommand) lines.push(wayLine(proxyCommand, files));
  else if (via) {
    const words = ['ssh', '-F', files.config, '-W', `[${hostname}]:${port}`, next];
    lines.push(wayLine({ shell: '/bin/sh', command: words.map(quote).join(' ') }, files));
  }
  return lines.map((line) => `  ${line}`);
}

function wayLine(
  { shell, command }: Pick<ProxyCommand, 'shell' | 'command'>,
  { way }: Pick<OpenSshFiles, 'way'>,
): string {
  const words = ['/bin/sh', '-c', 'exec 2>>"$0"; exec "$1" -c "$2"', way, shell, `exec ${command}`];
  return `ProxyCommand ${words.map(quote).join(' ').replaceAll('%', '%%')}`;
}

function hopLines(hop: ConnectionPlan): string[] {
  const { hostKey } = hop;
  const quoted = (text: string) => value(hop, text);
  const files = (list: readonly string[]) => (list.length > 0 ? list.map(quoted).join(' ') : 'none');
  const alias = hostKey.name === knownHostsName(hop.hostname, hop.port) ? [] : [hostKey.name];
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

/** Quotes a value for ssh_config. Its tokens have been replaced already. */
function value({ host }: ConnectionPlan, text: string): string {
  if (!/["\p{Cc}]/u.test(text)) return `"${text.replaceAll('%', '%%')}"`;
  const message = `${host}: OpenSSH's configuration can't contain ${JSON.stringify(text)}`;
  throw new HostError(
    host,
    'configuration',
    message,
    'Use a name without quotation marks and control characters.',
  );
}
