/** The requests of a session, each as one call of the library's on one connection. */

import { ACL, Id, type Stat as LibraryStat, Permission } from 'node-zookeeper-client';
import type { Access, CreateMode, Operation, Stat, Znode } from './client.ts';
import type { Connection, Done } from './connection.ts';

const ANY_VERSION = -1;

const MODES: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  'persistent-sequential': 2,
  'ephemeral-sequential': 3,
};

/** What stands for an operation in a transaction of the library's. */
const OPERATIONS = { create: 1, delete: 2, set: 5, check: 13 } as const;

type LibraryError = Parameters<Done<unknown>>[0];

/** Called at a change; undefined where none is to be told. */
type Watcher = (() => void) | undefined;

export async function getData(connection: Connection, path: string, watcher: Watcher): Promise<Znode> {
  const { data, stat } = await connection.request<{ data: Buffer | undefined; stat: LibraryStat }>(
    path,
    (client, done) => {
      const answer = (error: LibraryError, data: Buffer | undefined, stat: LibraryStat): void =>
        done(error, { data, stat });
      if (watcher) client.getData(path, watcher, answer);
      else client.getData(path, answer);
    },
  );
  return { data: data ?? Buffer.alloc(0), ...statOf(stat) };
}

export function getChildren(connection: Connection, path: string, watcher: Watcher): Promise<string[]> {
  return connection.request<string[]>(path, (client, done) => {
    if (watcher) client.getChildren(path, watcher, done);
    else client.getChildren(path, done);
  });
}

export async function exists(
  connection: Connection,
  path: string,
  watcher: Watcher,
): Promise<Stat | undefined> {
  const stat = await connection.request<LibraryStat | null>(path, (client, done) => {
    if (watcher) client.exists(path, watcher, done);
    else client.exists(path, done);
  });
  return stat ? statOf(stat) : undefined;
}

export function create(
  connection: Connection,
  { path, data, mode = 'persistent' }: { path: string; data: Uint8Array; mode?: CreateMode | undefined },
  acl: ACL[],
): Promise<string> {
  return connection.request<string>(path, (client, done) =>
    client.create(path, bufferOf(data), acl, MODES[mode], done),
  );
}

export async function setData(
  connection: Connection,
  path: string,
  data: Uint8Array,
  version = ANY_VERSION,
): Promise<Stat> {
  const stat = await connection.request<LibraryStat>(path, (client, done) =>
    client.setData(path, bufferOf(data), version, done),
  );
  return statOf(stat);
}

export function remove(connection: Connection, path: string, version = ANY_VERSION): Promise<void> {
  return connection.request<void>(path, (client, done) =>
    client.remove(path, version, (error) => done(error, undefined)),
  );
}

/** @returns the paths of the znodes created */
export async function transact(
  connection: Connection,
  operations: readonly Operation[],
  aclFor: (access: Access) => ACL[],
): Promise<string[]> {
  const paths = operations.map(({ path }) => path).join(' ');
  const results = await connection.request<{ path?: string }[]>(paths, (client, done) => {
    const transaction = client.transaction();
    // Past the library's own methods, which take version 0 for any version.
    const { ops } = transaction as unknown as { ops: object[] };
    for (const operation of operations) ops.push(libraryOperation(operation, aclFor));
    transaction.commit(done);
  });
  return results.flatMap((result) => result.path ?? []);
}

function libraryOperation(operation: Operation, aclFor: (access: Access) => ACL[]): object {
  const head = { type: OPERATIONS[operation.type], path: operation.path };
  switch (operation.type) {
    case 'create': {
      const { data, access, mode = 'persistent' } = operation;
      return { ...head, data: bufferOf(data), acls: aclFor(access), mode: MODES[mode] };
    }
    case 'set':
      return { ...head, data: bufferOf(operation.data), version: operation.version ?? ANY_VERSION };
    default:
      return { ...head, version: operation.version ?? ANY_VERSION };
  }
}

/** `auth` stands for whoever the session has authenticated as. */
export function aclOf(access: Access, hasCredentials: boolean): ACL[] {
  const world = new Id('world', 'anyone');
  if (access === 'open' || !hasCredentials) return [new ACL(Permission.ALL, world)];
  const creator = new ACL(Permission.ALL, new Id('auth', ''));
  return access === 'creator' ? [creator] : [creator, new ACL(Permission.READ, world)];
}

function statOf({ version, ephemeralOwner }: LibraryStat): Stat {
  const owner = ephemeralOwner.toString('hex');
  return { version, ...(/[^0]/.test(owner) && { owner }) };
}

function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
