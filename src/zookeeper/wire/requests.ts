/**
 * Encodes the requests of a session and decodes their answers. Records and fields are those of ZooKeeper's
 * `zookeeper.jute`; types, flags and permissions are those of ZooDefs and CreateMode. The layout of a multi follows
 * MultiOperationRecord and MultiResponse, since `zookeeper.jute` does not define it.
 */

import type { Access, CreateMode, Operation, Stat, Znode } from '../client.ts';
import { errorOf, NO_NODE } from './errors.ts';
import { boolean, buffer, int, type JuteReader, string, vector, WireError } from './jute.ts';
import type { Reply } from './protocol.ts';

export interface Request<T> {
  readonly type: number;
  /** For error messages. */
  readonly path: string;
  readonly body: Buffer;
  /** @throws ZooKeeperError if the server refuses, WireError if the answer is invalid */
  readonly read: (reply: Pick<Reply, 'error' | 'record'>) => T;
}

const EXISTS = 3;
const GET_DATA = 4;
const GET_CHILDREN = 8;
const MULTI = 14;
const CLOSE_SESSION = -11;
/** In a multi's answer: an operation's error follows. */
const ERROR = -1;
const TYPES = { create: 1, delete: 2, set: 5, check: 13 } as const;

const MODES: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  'persistent-sequential': 2,
  'ephemeral-sequential': 3,
};

const ANY_VERSION = -1;
const READ = 1;
const ALL = 31;

export function getData(path: string, watch: boolean): Request<Znode> {
  return request(GET_DATA, path, readBody(path, watch), (record) => {
    const data = record.buffer();
    return { data, ...readStat(record) };
  });
}

export function getChildren(path: string, watch: boolean): Request<string[]> {
  return request(GET_CHILDREN, path, readBody(path, watch), (record) => record.vector(() => record.string()));
}

/** The answer is undefined if the znode does not exist. */
export function exists(path: string, watch: boolean): Request<Stat | undefined> {
  const found = request<Stat | undefined>(EXISTS, path, readBody(path, watch), readStat);
  return { ...found, read: (reply) => (reply.error === NO_NODE ? undefined : found.read(reply)) };
}

/** The answer is the path. @param authenticated true if the session has credentials; if false, the znode is open */
export function create(
  operation: Operation & { readonly type: 'create' },
  authenticated: boolean,
): Request<string> {
  return request(TYPES.create, operation.path, operationBody(operation, authenticated), (record) =>
    record.string(),
  );
}

export function setData(path: string, data: Uint8Array, version?: number): Request<Stat> {
  const body = operationBody({ type: 'set', path, data, ...(version !== undefined && { version }) }, false);
  return request(TYPES.set, path, body, readStat);
}

export function remove(path: string, version?: number): Request<void> {
  const body = operationBody({ type: 'delete', path, ...(version !== undefined && { version }) }, false);
  return request(TYPES.delete, path, body, () => {});
}

/** The answer contains the paths of the created znodes. */
export function transact(operations: readonly Operation[], authenticated: boolean): Request<string[]> {
  const path = operations.map((operation) => operation.path).join(' ');
  const steps = operations.map((operation) =>
    Buffer.concat([multiHeader(TYPES[operation.type], false), operationBody(operation, authenticated)]),
  );
  const body = Buffer.concat([...steps, multiHeader(ERROR, true)]);
  return request(MULTI, path, body, (record) => readResults(record, path));
}

/** Ends the session; the server closes the connection after its answer. */
export const closeSession: Request<void> = request(CLOSE_SESSION, '/', Buffer.alloc(0), () => {});

function request<T>(
  type: number,
  path: string,
  body: Buffer,
  readRecord: (record: JuteReader) => T,
): Request<T> {
  const read: Request<T>['read'] = ({ error, record }) => {
    if (error !== 0) throw errorOf(error, path);
    return readRecord(record);
  };
  return { type, path, body, read };
}

function readBody(path: string, watch: boolean): Buffer {
  return Buffer.concat([string(path), boolean(watch)]);
}

function operationBody(operation: Operation, authenticated: boolean): Buffer {
  const path = string(operation.path);
  if (operation.type === 'create') {
    const { data, access, mode = 'persistent' } = operation;
    return Buffer.concat([path, buffer(data), acl(access, authenticated), int(MODES[mode])]);
  }
  const version = int(operation.version ?? ANY_VERSION);
  return Buffer.concat(operation.type === 'set' ? [path, buffer(operation.data), version] : [path, version]);
}

/** The scheme `auth` means the identity that the session has authenticated. */
function acl(access: Access, authenticated: boolean): Buffer {
  const entry = (permissions: number, scheme: string, id: string): Buffer =>
    Buffer.concat([int(permissions), string(scheme), string(id)]);
  if (access === 'open' || !authenticated) return vector([entry(ALL, 'world', 'anyone')]);
  const creator = entry(ALL, 'auth', '');
  return vector(access === 'creator' ? [creator] : [creator, entry(READ, 'world', 'anyone')]);
}

/** The header of each operation and each result of a multi, which also terminates both lists. */
function multiHeader(type: number, done: boolean): Buffer {
  return Buffer.concat([int(type), boolean(done), int(-1)]);
}

/** Reads the results of a multi. If an operation fails, the answer has an error for each; 0 before the failed one. */
function readResults(record: JuteReader, path: string): string[] {
  const created: string[] = [];
  for (;;) {
    const type = record.int();
    const done = record.boolean();
    record.int();
    if (done) return created;
    switch (type) {
      case TYPES.create:
        created.push(record.string());
        break;
      case TYPES.set:
        readStat(record);
        break;
      case TYPES.delete:
      case TYPES.check:
        break;
      case ERROR: {
        const error = record.int();
        if (error !== 0) throw errorOf(error, path);
        break;
      }
      default:
        throw new WireError(`${type} is not a result type of a multi`);
    }
  }
}

/** Reads all fields of a Stat, since another field may follow it. */
function readStat(record: JuteReader): Stat {
  // czxid, mzxid, ctime, mtime
  for (let i = 0; i < 4; i += 1) record.long();
  const version = record.int();
  // cversion, aversion
  record.int();
  record.int();
  const owner = record.long().toString('hex');
  // dataLength, numChildren, pzxid
  record.int();
  record.int();
  record.long();
  return { version, ...(/[^0]/.test(owner) && { owner }) };
}
