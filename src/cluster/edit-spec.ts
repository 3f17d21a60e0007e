/** Adds and removes hosts in the text of a `cluster.yaml`. Comments and the order of all other keys and hosts stay. */

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parse,
  parseDocument,
  visit,
  type YAMLSeq,
} from 'yaml';
import { UsageError } from '../errors/mesosup-error.ts';
import { fewLines } from '../text/few-lines.ts';
import type { Cluster, ClusterHost, Role } from './cluster.ts';
import { parseHostAddress } from './host-address.ts';
import { parseSpec } from './spec.ts';
import { formatSpecError } from './spec-errors.ts';

export interface NewHost {
  readonly name: string;
  /** For SSH, if it differs from the name. */
  readonly address?: string | undefined;
  /** Default: agent. */
  readonly roles?: readonly Role[] | undefined;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** @param file name for errors @throws UsageError if the host is there already, or the result is no valid cluster */
export function withHost(text: string, file: string, host: NewHost): string {
  return withLineEnds(text, (lines) => addTo(lines, file, host));
}

function addTo(text: string, file: string, host: NewHost): string {
  const before = clusterIn(text, file);
  if (before.hosts.some(({ name }) => name === host.name)) {
    throw new UsageError(`${file} already has a host "${host.name}"`);
  }
  const { name, address, roles, attributes = {} } = host;
  const document = documentOf(text);
  const { items } = hostsOf(document, file);
  // Where no host has roles, one with roles would change those of all others: `withRoles` writes all of them.
  const haveRoles = items.some((item) => isMap(item) && item.has('roles'));
  const block = {
    name,
    ...(address !== undefined && address !== name && { address }),
    ...(roles && haveRoles && { roles }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
  const node = document.createNode(Object.keys(block).length > 1 ? block : name);
  quoteOddTexts(node);
  if (isMap(node)) {
    const list = node.get('roles', true);
    if (isSeq(list)) list.flow = true;
  }
  items.push(node);
  // The masters of a cluster without ZooKeeper get it with the first new server.
  const isFirst =
    roles?.includes('zookeeper') && !before.hosts.some((one) => one.roles.includes('zookeeper'));
  const wanted = new Map(
    before.hosts.map(({ name, roles }): [string, readonly Role[]] => [
      name,
      isFirst && roles.includes('master') ? ['zookeeper', ...roles] : roles,
    ]),
  );
  return withRoles(document, file, wanted.set(name, roles ?? ['agent']));
}

/** @throws UsageError if a host that is there already has another address, roles or attributes than the wanted one */
export function refuseOther(there: ClusterHost, { name, address, roles, attributes = {} }: NewHost): void {
  const isSame =
    (roles === undefined || sorted(roles) === sorted(there.roles)) &&
    (address === undefined || address === there.address) &&
    Object.entries(attributes).every(([key, value]) => there.attributes[key] === value);
  if (isSame) return;
  throw new UsageError(
    `the cluster file already has a host "${name}", with another address, roles or attributes`,
    {
      remedy:
        'Edit the file, or leave out --address, --role and --attribute. Then run the same command again.',
    },
  );
}

/** @throws UsageError if the result is no valid cluster */
export function withoutHost(text: string, file: string, name: string): string {
  return withLineEnds(text, (lines) => removeFrom(lines, file, name));
}

function removeFrom(text: string, file: string, name: string): string {
  const before = clusterIn(text, file);
  const document = documentOf(text);
  const index = before.hosts.findIndex((host) => host.name === name);
  if (index < 0) throw new UsageError(`${file} has no host "${name}"`);
  hostsOf(document, file).items.splice(index, 1);
  return withRoles(document, file, new Map(before.hosts.map((one) => [one.name, one.roles])));
}

/**
 * Puts a new host in the place of another one, with its roles, attributes and flags. What belongs to the machine goes:
 * its addresses, its host key and its name in Mesos.
 * @throws UsageError if the result is no valid cluster
 */
export function withReplacement(text: string, file: string, old: string, host: NewHost): string {
  return withLineEnds(text, (lines) => replaceIn(lines, file, old, host));
}

const OF_THE_MACHINE = ['address', 'privateAddress', 'hostname', 'local'];

function replaceIn(text: string, file: string, old: string, { name, address }: NewHost): string {
  const before = clusterIn(text, file);
  if (before.hosts.some((host) => host.name === name)) {
    throw new UsageError(`${file} already has a host "${name}"`);
  }
  const document = documentOf(text);
  const { items } = hostsOf(document, file);
  const index = before.hosts.findIndex((host) => host.name === old);
  const item = items[index];
  if (index < 0 || item === undefined) throw new UsageError(`${file} has no host "${old}"`);
  const isOther = address !== undefined && address !== name;
  if (isMap(item)) {
    for (const key of OF_THE_MACHINE) item.delete(key);
    const ssh = item.get('ssh', true);
    if (isMap(ssh)) ssh.delete('hostKey');
    item.set('name', document.createNode(name));
    if (isOther) item.set('address', document.createNode(address));
  } else if (isScalar(item)) {
    const block = { ...blockOf(String(item.value), undefined), name, ...(isOther && { address }) };
    const plain = Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
    const node = document.createNode(Object.keys(plain).length > 1 ? plain : name);
    items[index] = withComments(node, item);
  }
  const node = items[index];
  if (node !== undefined) quoteOddTexts(node as Node);
  return withRoles(
    document,
    file,
    new Map(before.hosts.map((one) => [one.name === old ? name : one.name, one.roles])),
  );
}

/**
 * Without roles in the file, the first hosts are masters: another number of hosts would change the roles of the others,
 * so all roles are written then.
 */
function withRoles(document: Document, file: string, roles: ReadonlyMap<string, readonly Role[]>): string {
  const plain = textOf(document, file);
  const after = clusterIn(plain, file);
  const isSame = after.hosts.every((host) => sorted(host.roles) === sorted(roles.get(host.name) ?? []));
  if (isSame) return plain;
  const items = hostsOf(document, file).items;
  for (const [i, { name }] of after.hosts.entries()) {
    const item = items[i];
    const list = document.createNode(roles.get(name) ?? ['agent'], { flow: true });
    if (isMap(item)) item.set('roles', list);
    else if (isScalar(item))
      items[i] = withComments(document.createNode(blockOf(String(item.value), list)), item);
  }
  const text = textOf(document, file);
  clusterIn(text, file);
  return text;
}

/** A host written as `user@name:port` becomes a block with the same meaning. */
function blockOf(typed: string, roles: unknown): Record<string, unknown> {
  const { host: name = typed, user, port } = parseHostAddress(typed) ?? {};
  const ssh = { ...(user !== undefined && { user }), ...(port !== undefined && { port: String(port) }) };
  return { name, ...(Object.keys(ssh).length > 0 && { ssh }), roles };
}

interface Commented {
  commentBefore?: string | null;
  comment?: string | null;
}

function withComments<T extends Commented>(node: T, from: Commented): T {
  if (from.commentBefore) node.commentBefore = from.commentBefore;
  if (from.comment) node.comment = from.comment;
  return node;
}

function sorted(roles: readonly Role[]): string {
  return roles.toSorted().join();
}

/** The writer knows only one form of line ends. */
function withLineEnds(text: string, edit: (text: string) => string): string {
  if (!text.includes('\r\n')) return edit(text);
  return edit(text.replaceAll('\r\n', '\n')).replaceAll('\n', '\r\n');
}

/** As the file is read: every scalar is text. Otherwise `0x10` or `1e3` would be written in another form. */
function documentOf(text: string): Document {
  return parseDocument(text, { schema: 'failsafe' });
}

/** Quotes new texts that are empty, or that other programs would read as a number, for example. */
function quoteOddTexts(node: Node): void {
  visit(node, {
    Scalar(_key, scalar) {
      if (!isPlainText(String(scalar.value))) scalar.type = 'QUOTE_DOUBLE';
    },
  });
}

function isPlainText(text: string): boolean {
  try {
    return typeof parse(text) === 'string';
  } catch {
    // The writer quotes it.
    return true;
  }
}

/** @throws UsageError if the rest needs an anchor that was in the removed part */
function textOf(document: Document, file: string): string {
  try {
    return document.toString({ lineWidth: 0 });
  } catch (error) {
    throw new UsageError(
      `${file} can't be edited: ${error instanceof Error ? error.message : String(error)}`,
      {
        remedy:
          'Edit the file yourself: write the value instead of the alias, then run the same command again.',
      },
    );
  }
}

function hostsOf(document: Document, file: string): YAMLSeq {
  const hosts = document.get('hosts');
  if (isSeq(hosts)) return hosts;
  throw new UsageError(`${file} has no list of hosts that can be edited`, {
    remedy: 'Write the hosts as a list, without an alias, or edit the file yourself and run: mesosup install',
  });
}

function clusterIn(text: string, file: string): Cluster {
  const result = parseSpec(text, file);
  if (result.ok) return result.value;
  throw new UsageError(fewLines(result.errors.map(formatSpecError)));
}
