/**
 * The port to ZooKeeper: one session with an ensemble, over as many connections as it takes. It is opened by
 * `openZooKeeper` of session.ts. Semantics are those of the ZooKeeper programmer's guide, but for what is said here.
 */

import { type ErrorDetails, MesosupError } from '../errors/mesosup-error.ts';

/**
 * - `connected`: a server answers.
 * - `suspended`: no server does; the ensemble still keeps the session and its ephemeral znodes.
 * - `ended`: for good. Whatever rested on the session (an election won) is void.
 */
export type SessionState = 'connected' | 'suspended' | 'ended';

/** Who may do what with a znode. In a session without credentials all three are `open`. */
export type Access =
  /** Everybody may do everything. */
  | 'open'
  /** Everything for the identity of this session, nothing for others. */
  | 'creator'
  /** Everything for the identity of this session, reading for everybody: what Mesos does with its own. */
  | 'creator-world-read';

export type CreateMode = 'persistent' | 'persistent-sequential' | 'ephemeral' | 'ephemeral-sequential';

export interface Stat {
  /** Counts the changes of the data, from 0. */
  readonly version: number;
  /** The session a znode is ephemeral to, as `ZooKeeperSession.id`; undefined for a persistent one. */
  readonly owner?: string;
}

export interface Znode extends Stat {
  readonly data: Buffer;
}

/** One step of `multi`. A `version` that is not given is any. */
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
 * Called once: when what was read has changed, or after the connection was away, since a change may have been
 * missed then. Never once the session has ended.
 */
export type Watch = () => void;

/**
 * Requests are answered in the order they were made. One made while the session is suspended waits. All throw
 * ZooKeeperError. Paths are absolute; data is at most about 1 MB, all of a request together too.
 */
export interface ZooKeeperSession {
  /** 16 hex digits. */
  readonly id: string;
  /** As negotiated, in milliseconds: after that long without us the ensemble ends the session. */
  readonly timeoutMs: number;
  /**
   * Read off the clock at the moment it is asked, so that a process that was stopped for a while learns at its
   * first look that its time is over. The session's own deadline passes before the ensemble's does.
   */
  readonly state: SessionState;
  /** Resolves when the session has ended, with the reason in words; never rejects. */
  readonly ended: Promise<string>;
  /** Tells of each change of state; @returns how to hear no more. */
  onState(listener: (state: SessionState) => void): () => void;

  /** Undefined where there is no such znode; no watch is left then: use `exists` to await one. */
  get(path: string, watch?: Watch): Promise<Znode | undefined>;
  /** Names without the path, in no order. Undefined where there is no such znode; no watch is left then. */
  children(path: string, watch?: Watch): Promise<string[] | undefined>;
  /** The watch is also for a znode that comes to be. */
  exists(path: string, watch?: Watch): Promise<Stat | undefined>;
  /** @returns the path, with the sequence number where the mode has one */
  create(path: string, data: Uint8Array, access: Access, mode?: CreateMode): Promise<string>;
  /** Creates what is missing of a path, as persistent znodes without data. */
  createPath(path: string, access: Access): Promise<void>;
  /** @throws ZooKeeperError BAD_VERSION where the version is another than the one given */
  set(path: string, data: Uint8Array, version?: number): Promise<Stat>;
  delete(path: string, version?: number): Promise<void>;
  /** All of the operations or none. @returns the paths of the znodes created, in order */
  multi(operations: readonly Operation[]): Promise<string[]>;
  /** Ends the session at the ensemble too, and with it its ephemeral znodes; at once if it can't be reached. */
  close(): Promise<void>;
}

export type ZooKeeperErrorCode =
  | 'NO_NODE'
  | 'NODE_EXISTS'
  | 'NOT_EMPTY'
  | 'BAD_VERSION'
  /** The znode's access list says no. */
  | 'NO_AUTH'
  /** The connection broke before the answer: a change may have been made or not. */
  | 'CONNECTION_LOSS'
  /** The session had ended before the request was made, or before its answer. */
  | 'SESSION_ENDED'
  /** Anything else; the message has it. */
  | 'OTHER';

export class ZooKeeperError extends MesosupError {
  override name = 'ZooKeeperError';
  readonly code: ZooKeeperErrorCode;

  constructor(code: ZooKeeperErrorCode, message: string, details?: ErrorDetails) {
    super(message, details);
    this.code = code;
  }
}

/** True for an error of that kind; for `catch`. */
export function isZooKeeperError(error: unknown, ...codes: ZooKeeperErrorCode[]): error is ZooKeeperError {
  return error instanceof ZooKeeperError && codes.includes(error.code);
}

/**
 * Repeats a request until it is answered, for those that may be: reads, and changes that come out the same. A
 * request waits where the session is suspended, so this does not spin, and the end of the session ends it.
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
