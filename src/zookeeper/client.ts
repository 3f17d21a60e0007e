/**
 * The interface to ZooKeeper: one session with an ensemble, which may use several connections in turn. `openZooKeeper`
 * in session.ts opens it. The semantics are those of the ZooKeeper programmer's guide, except as documented here.
 */

import { type ErrorDetails, MesosupError } from '../errors/mesosup-error.ts';

/**
 * - `connected`: a server answers.
 * - `suspended`: no server answers; the ensemble still keeps the session and its ephemeral znodes.
 * - `ended`: permanently. Everything that depended on the session (a won election) is lost.
 */
export type SessionState = 'connected' | 'suspended' | 'ended';

/** Access rights of a znode. In a session without credentials all three mean `open`. */
export type Access =
  /** All rights for everyone. */
  | 'open'
  /** All rights for the identity of this session, none for other identities. */
  | 'creator'
  /** All rights for the identity of this session, read access for everyone, as for Mesos' own znodes. */
  | 'creator-world-read';

export type CreateMode = 'persistent' | 'persistent-sequential' | 'ephemeral' | 'ephemeral-sequential';

export interface Stat {
  /** Counts the changes of the data, from 0. */
  readonly version: number;
  /** The session that owns an ephemeral znode, as `ZooKeeperSession.id`; undefined for a persistent znode. */
  readonly owner?: string;
}

export interface Znode extends Stat {
  readonly data: Buffer;
}

/** One step of `multi`. Without `version`, any version matches. */
export type Operation =
  | {
      readonly type: 'create';
      readonly path: string;
      readonly data: Uint8Array;
      readonly access: Access;
      readonly mode?: CreateMode;
    }
  | { readonly type: 'set'; readonly path: string; readonly data: Uint8Array; readonly version?: number }
  | { readonly type: 'delete' | 'check'; readonly path: string; readonly version?: number };

/**
 * Called once: when the read value has changed, or after a reconnect, since a change may have been missed. Never called
 * after the end of the session.
 */
export type Watch = () => void;

/** With it, any process can end the session: see end-session.ts. Secret. */
export interface SessionKey {
  /** `ZooKeeperSession.id` */
  readonly id: string;
  /** 32 hex digits, made by the server. */
  readonly password: string;
}

/**
 * Requests are answered in order. A request waits while the session is suspended. All requests throw ZooKeeperError.
 * Paths are absolute. The data of one request is limited to about 1 MB in total.
 */
export interface ZooKeeperSession {
  /** 16 hex digits. */
  readonly id: string;
  readonly key: SessionKey;
  /** The negotiated timeout in milliseconds: without a heartbeat for that time, the ensemble ends the session. */
  readonly timeoutMs: number;
  /**
   * Compared with the clock at each access, so that a process that was stopped for some time sees the end of its session
   * immediately. The session's own deadline is before the ensemble's.
   */
  readonly state: SessionState;
  /** Resolves with the reason when the session has ended; never rejects. */
  readonly ended: Promise<string>;
  /** Calls `listener` at each change of state. @returns a function that removes the listener */
  onState(listener: (state: SessionState) => void): () => void;

  /** Returns undefined, without setting the watch, if the znode does not exist. Use `exists` to wait for it. */
  get(path: string, watch?: Watch): Promise<Znode | undefined>;
  /** Returns names without the path, unordered; undefined, without setting the watch, if the znode does not exist. */
  children(path: string, watch?: Watch): Promise<string[] | undefined>;
  /** The watch also fires when the znode is created. */
  exists(path: string, watch?: Watch): Promise<Stat | undefined>;
  /** @returns the path, including the sequence number for a sequential mode */
  create(path: string, data: Uint8Array, access: Access, mode?: CreateMode): Promise<string>;
  /** Creates the missing znodes of a path, persistent and without data. */
  createPath(path: string, access: Access): Promise<void>;
  /** @throws ZooKeeperError BAD_VERSION if the znode's version is not `version` */
  set(path: string, data: Uint8Array, version?: number): Promise<Stat>;
  delete(path: string, version?: number): Promise<void>;
  /** Performs all of the operations or none. @returns the paths of the created znodes, in order */
  multi(operations: readonly Operation[]): Promise<string[]>;
  /** Ends the session and its ephemeral znodes in the ensemble; returns immediately if the ensemble is unreachable. */
  close(): Promise<void>;
}

export type ZooKeeperErrorCode =
  | 'NO_NODE'
  | 'NODE_EXISTS'
  | 'NOT_EMPTY'
  | 'BAD_VERSION'
  /** The znode's access list forbids the request. */
  | 'NO_AUTH'
  /** The connection was lost before the answer. A change may or may not have been made. */
  | 'CONNECTION_LOSS'
  /** The session ended before the request or before its answer. */
  | 'SESSION_ENDED'
  /** Any other error; see the message. */
  | 'OTHER';

export class ZooKeeperError extends MesosupError {
  override name = 'ZooKeeperError';
  readonly code: ZooKeeperErrorCode;

  constructor(code: ZooKeeperErrorCode, message: string, details?: ErrorDetails) {
    super(message, details);
    this.code = code;
  }
}

/** True for a ZooKeeperError with one of the codes. */
export function isZooKeeperError(error: unknown, ...codes: ZooKeeperErrorCode[]): error is ZooKeeperError {
  return error instanceof ZooKeeperError && codes.includes(error.code);
}

/**
 * Repeats an idempotent request until it is answered. A request waits while the session is suspended, so this loop does
 * not spin, and it ends with the session.
 */
export async function untilAnswered<T>(request: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
    }
  }
}
