/**
 * Parses `zk://user:password@host1:2181,host2/path`, the format of Mesos and Marathon. The password is the text between
 * the first colon and the last @, without percent-encoding. Messages never repeat the input, since it may contain a
 * password.
 */

/** The port of a ZooKeeper server if the address has no port. */
const SERVER_PORT = 2181;

export interface ZooKeeperServer {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ZooKeeperAddress {
  readonly servers: readonly [ZooKeeperServer, ...ZooKeeperServer[]];
  /** `user:password`, for the scheme `digest`. */
  readonly credentials?: string;
  /** Absolute, `/` for the root, without a trailing slash. */
  readonly path: string;
}

export class AddressError extends Error {
  override name = 'AddressError';
}

const EXPECTED = 'expected zk://[user:password@]host:port,host:port,…/path';

/** True if a flag's value is a ZooKeeper address. */
export function isZooKeeperAddress(text: string): boolean {
  return text.trim().startsWith('zk://');
}

/**
 * Returns the path in `file:///path`; undefined for any other value. As in Mesos, the file contains the value of the
 * flag, which keeps passwords out of the argument list. The caller reads the file.
 */
export function fileOfFlag(text: string): string | undefined {
  const match = /^file:\/\/(\/[^\s]+)$/.exec(text.trim());
  return match?.[1];
}

/** @throws AddressError, which does not repeat the address */
export function parseZooKeeperAddress(text: string): ZooKeeperAddress {
  const trimmed = text.trim();
  if (!isZooKeeperAddress(trimmed)) throw new AddressError(`not a ZooKeeper address: ${EXPECTED}`);
  const rest = trimmed.slice('zk://'.length);
  // The path contains no @, and the servers contain neither @ nor slash, so a password may contain slashes.
  const at = rest.lastIndexOf('@');
  const credentials = at < 0 ? undefined : rest.slice(0, at);
  if (credentials !== undefined && !/^[^:]+:./s.test(credentials)) {
    throw new AddressError(`the text before the @ is not user:password: ${EXPECTED}`);
  }
  const target = rest.slice(at + 1);
  const slash = target.indexOf('/');
  const servers = (slash < 0 ? target : target.slice(0, slash)).split(',').map(serverFrom);
  const [first, ...others] = servers;
  if (first === undefined) throw new AddressError(`the list of servers is empty: ${EXPECTED}`);
  return {
    servers: [first, ...others],
    ...(credentials !== undefined && { credentials }),
    path: pathFrom(slash < 0 ? '/' : target.slice(slash)),
  };
}

/** Formats the address for messages: with the user, without the password. */
export function showZooKeeperAddress({ servers, credentials, path }: ZooKeeperAddress): string {
  const user = credentials === undefined ? '' : `${credentials.slice(0, credentials.indexOf(':'))}:***@`;
  return `zk://${user}${servers.map(showServer).join(',')}${path}`;
}

export function showServer({ host, port }: ZooKeeperServer): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Appends a name to a path, which may be the root. */
export function childPath(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

function serverFrom(entry: string, index: number): ZooKeeperServer {
  const match = /^\s*(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?\s*$/.exec(entry);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? SERVER_PORT);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new AddressError(`server ${index + 1} of the list is not host:port: ${EXPECTED}`);
  }
  return { host, port };
}

function pathFrom(text: string): string {
  const path = text === '/' ? text : text.replace(/\/$/, '');
  const names = path.split('/').slice(1);
  const good = text === '/' || names.every((name) => name !== '' && name !== '.' && name !== '..');
  // ZooKeeper refuses control characters, too.
  if (!good || path === '' || /[\p{Cc}\p{Cs}]/u.test(path)) {
    throw new AddressError(`the path after the servers is not a ZooKeeper path: ${EXPECTED}`);
  }
  return path;
}
