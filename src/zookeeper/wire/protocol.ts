/**
 * The parts of the protocol other than requests: the handshake, authentication, the header of a reply, and watch
 * events. Records and fields are those of ZooKeeper's `zookeeper.jute`; numbers are those of its
 * ZooDefs.OpCode, ClientCnxn and Watcher.Event.
 */

import { boolean, buffer, int, JuteReader, string, WireError } from './jute.ts';

const PROTOCOL_VERSION = 0;
const AUTH_TYPE = 100;

/** The xids of packets that are not answers to requests. */
export const NOTIFICATION_XID = -1;
export const AUTH_XID = -4;

const LARGEST_XID = 0x7fffffff;

/** Identifies a session to a server. */
export interface Identity {
  /** A long. */
  readonly id: Buffer;
  readonly password: Buffer;
}

/** Data that the next connection needs to resume a session. */
export interface Resumption extends Identity {
  /** The last change seen, a long. A server that has not seen it refuses, so that the client never reads older data. */
  readonly zxid: Buffer;
}

export interface Reply {
  readonly xid: number;
  /** The last change that the server has seen; not positive if the reply has none. */
  readonly zxid: Buffer;
  /** 0 for success. */
  readonly error: number;
  /** The record of the answer; empty after an error. */
  readonly record: JuteReader;
}

export type WatchEventType = 'created' | 'deleted' | 'data-changed' | 'children-changed';

export interface WatchEvent {
  readonly type: WatchEventType;
  readonly path: string;
}

const EVENT_TYPES: ReadonlyMap<number, WatchEventType> = new Map([
  [1, 'created'],
  [2, 'deleted'],
  [3, 'data-changed'],
  [4, 'children-changed'],
]);

/** Returns the next xid of a connection. Wraps around to 0, since negative xids are reserved. */
export function nextXid(xid: number): number {
  return xid === LARGEST_XID ? 0 : xid + 1;
}

/** Builds a ConnectRequest with the readOnly flag, which clients since ZooKeeper 3.4 append: false requires a majority. */
export function connectRequest(timeoutMs: number, { id, password, zxid }: Resumption): Buffer {
  const readOnly = boolean(false);
  return Buffer.concat([int(PROTOCOL_VERSION), zxid, int(timeoutMs), id, buffer(password), readOnly]);
}

/** @returns the session; undefined if it has expired. @throws WireError */
export function readConnectResponse(packet: Buffer): (Identity & { timeoutMs: number }) | undefined {
  const reader = new JuteReader(packet);
  reader.int();
  const timeoutMs = reader.int();
  const id = reader.long();
  const password = reader.buffer();
  return timeoutMs > 0 ? { id, password, timeoutMs } : undefined;
}

/** Builds a request that adds `user:password` to the connection. */
export function authRequest(credentials: string): Buffer {
  const header = Buffer.concat([int(AUTH_XID), int(AUTH_TYPE)]);
  return Buffer.concat([header, int(0), string('digest'), buffer(Buffer.from(credentials, 'utf8'))]);
}

/** @throws WireError */
export function readReply(packet: Buffer): Reply {
  const record = new JuteReader(packet);
  return { xid: record.int(), zxid: record.long(), error: record.int(), record };
}

/** Reads the record of a reply with NOTIFICATION_XID. @throws WireError */
export function readWatchEvent(record: JuteReader): WatchEvent {
  const number = record.int();
  const type = EVENT_TYPES.get(number);
  if (type === undefined) throw new WireError(`${number} is not a type of watch event`);
  // The state of the connection, which is not needed.
  record.int();
  return { type, path: record.string() };
}
