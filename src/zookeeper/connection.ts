/**
 * One TCP connection to one ZooKeeper server, over node-zookeeper-client. Each connection gets a client of its own,
 * and the next one resumes the session by its id, since the library's own way back is not safe: it keeps half a
 * packet of the old connection, sends waiting requests before it authenticates, never gives up on a server that
 * accepts and then says nothing, and leaves unsent requests without an answer. Its private parts that are touched
 * for this are named in `Manager`; the version is pinned.
 */

import type { Socket } from 'node:net';
import { type Client, createClient, Exception } from 'node-zookeeper-client';
import { showServer, type ZooKeeperServer } from './address.ts';
import { ZooKeeperError, type ZooKeeperErrorCode } from './client.ts';

/** What a server must be told for a session to go on. */
export interface Resumption {
  readonly id: Buffer;
  readonly password: Buffer;
  /** The last change seen: a server that has not seen it refuses, so that time never runs backwards. */
  readonly zxid: Buffer;
}

export interface ConnectOptions {
  server: ZooKeeperServer;
  /** `user:password` */
  credentials?: string;
  /** Of the session, as wished for. */
  timeoutMs: number;
  resume?: Resumption;
  /** For the whole way to an answer of the server. */
  withinMs: number;
}

export interface ConnectionEnd {
  readonly reason: string;
  /** The session can't go on with any server. */
  readonly fatal: boolean;
}

/** The connection did not come about. */
export class ConnectError extends Error {
  override name = 'ConnectError';
  readonly fatal: boolean;

  constructor({ reason, fatal }: ConnectionEnd) {
    super(reason);
    this.fatal = fatal;
  }
}

export interface Connection {
  /** Of the session, as negotiated, in milliseconds. */
  readonly timeoutMs: number;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<ConnectionEnd>;
  /** What the next connection needs; the zxid is that of the last answer. */
  resumption(): Resumption;
  /** How many requests have been made and answered; a server answers in the order it was asked. */
  readonly made: number;
  readonly answered: number;
  /** Runs a request of the library's; rejects with ZooKeeperError, CONNECTION_LOSS for all under way at the end. */
  request<T>(path: string, start: (client: Client, done: Done<T>) => void): Promise<T>;
  /** Ends the session at the server; resolves when the server has closed the connection. */
  endSession(): Promise<void>;
  /** Cuts the connection. */
  destroy(reason: string): void;
}

export type Done<T> = (error: Error | Exception | null, value: T) => void;

/** The library's inner part, as of 1.1.3. */
interface Manager {
  servers: { host: string; port: number }[];
  zxid: Buffer;
  socket?: Socket;
  pendingBuffer: Buffer | null;
  connectTimeoutHandler: NodeJS.Timeout | null;
  /** Called for a new attempt after each close. */
  connect: () => void;
  onSocketData: (chunk: Buffer) => void;
  on(event: 'state', listener: (state: number) => void): void;
}

const CONNECTED = 2;
const DISCONNECTED = 0;
const SESSION_EXPIRED = -3;
const AUTHENTICATION_FAILED = -4;

/** @throws ConnectError */
export function connect(options: ConnectOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    new LibraryConnection(options, resolve, (end) => reject(new ConnectError(end)));
  });
}

class LibraryConnection implements Connection {
  readonly closed: Promise<ConnectionEnd>;
  readonly #where: string;
  readonly #client: Client;
  readonly #manager: Manager;
  readonly #pending = new Set<(reason: string) => void>();
  #resolveClosed: (end: ConnectionEnd) => void = () => {};
  #end: ConnectionEnd | undefined;
  #reading = false;
  made = 0;
  answered = 0;

  constructor(
    options: ConnectOptions,
    onConnected: (connection: Connection) => void,
    onFailed: (end: ConnectionEnd) => void,
  ) {
    const { server, credentials, timeoutMs, resume, withinMs } = options;
    this.#where = showServer(server);
    // The types of the library leave out how to resume a session.
    const settings = {
      sessionTimeout: timeoutMs,
      ...(resume && { sessionId: resume.id, sessionPassword: resume.password }),
    };
    this.#client = createClient('server', settings);
    this.#manager = (this.#client as unknown as { connectionManager: Manager }).connectionManager;
    // Set here since the connection string has no way to write an IPv6 address.
    this.#manager.servers = [{ host: server.host, port: server.port }];
    if (resume) this.#manager.zxid = resume.zxid;
    if (credentials !== undefined) this.#client.addAuthInfo('digest', Buffer.from(credentials, 'utf8'));
    this.#readSafely();

    const tooLate = setTimeout(
      () => this.destroy(`${this.#where} did not answer within ${Math.round(withinMs)} ms`),
      withinMs,
    );
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    void this.closed.then((end) => {
      clearTimeout(tooLate);
      onFailed(end);
    });
    this.#manager.on('state', (state) => {
      if (state === CONNECTED) {
        clearTimeout(tooLate);
        onConnected(this);
      } else if (state === SESSION_EXPIRED) {
        this.#finish({ reason: `${this.#where} says that the session has expired`, fatal: true });
      } else if (state === AUTHENTICATION_FAILED) {
        this.#finish({ reason: `${this.#where} refused user and password`, fatal: true });
      } else if (state === DISCONNECTED) {
        this.#finish({ reason: `the connection to ${this.#where} was closed`, fatal: false });
      }
    });
    this.#client.connect();
    this.#manager.connect = () => {};
    // The library makes the socket in the next tick, before this one; why it failed is heard only there.
    process.nextTick(() => {
      this.#manager.socket?.on('error', ({ message }) =>
        this.#finish({ reason: `${this.#where}: ${message}`, fatal: false }),
      );
      if (this.#end) this.#manager.socket?.destroy();
    });
  }

  get timeoutMs(): number {
    return this.#client.getSessionTimeout();
  }

  resumption(): Resumption {
    return {
      id: this.#client.getSessionId(),
      password: this.#client.getSessionPassword(),
      zxid: this.#manager.zxid,
    };
  }

  request<T>(path: string, start: (client: Client, done: Done<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#end) {
        reject(connectionLoss(path, this.#end.reason));
        return;
      }
      const fail = (reason: string): void => reject(connectionLoss(path, reason));
      this.#pending.add(fail);
      this.made += 1;
      const done: Done<T> = (error, value) => {
        this.#pending.delete(fail);
        this.answered += 1;
        if (error) reject(translate(error, path));
        else resolve(value);
      };
      try {
        start(this.#client, done);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)), undefined as T);
      }
    });
  }

  async endSession(): Promise<void> {
    if (this.#end) return;
    this.#client.close();
    await this.closed;
  }

  destroy(reason: string): void {
    this.#finish({ reason, fatal: false });
  }

  /**
   * The library answers packet after packet by calling itself, as deep as there are packets, and what it throws
   * (at error codes it does not know) would end the process: here it is made a loop, and a lost connection.
   */
  #readSafely(): void {
    const manager = this.#manager;
    const read = manager.onSocketData;
    manager.onSocketData = (chunk) => {
      if (this.#reading || this.#end) return;
      this.#reading = true;
      try {
        read.call(manager, chunk);
        let left = Infinity;
        while (manager.pendingBuffer && manager.pendingBuffer.length < left && !this.#end) {
          left = manager.pendingBuffer.length;
          read.call(manager, Buffer.alloc(0));
        }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.destroy(`${this.#where} sent what can't be read: ${message}`);
      } finally {
        this.#reading = false;
      }
    };
  }

  #finish(end: ConnectionEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#manager.socket?.destroy();
    clearTimeout(this.#manager.connectTimeoutHandler ?? undefined);
    this.#resolveClosed(end);
    for (const fail of this.#pending) fail(end.reason);
    this.#pending.clear();
  }
}

/** Codes of the protocol; -4 is said by the library itself when a connection closes. */
const CODES: Readonly<Record<number, ZooKeeperErrorCode>> = {
  [-4]: 'CONNECTION_LOSS',
  [-101]: 'NO_NODE',
  [-102]: 'NO_AUTH',
  [-103]: 'BAD_VERSION',
  [-110]: 'NODE_EXISTS',
  [-111]: 'NOT_EMPTY',
};

function translate(error: Error | Exception, path: string): ZooKeeperError {
  const code = (error instanceof Exception ? CODES[error.getCode()] : undefined) ?? 'OTHER';
  if (code === 'CONNECTION_LOSS') return connectionLoss(path, 'it was closed');
  const words = {
    NO_NODE: 'there is no such znode',
    NO_AUTH: 'its access list does not allow this identity to',
    BAD_VERSION: 'it has been changed meanwhile',
    NODE_EXISTS: 'the znode exists already',
    NOT_EMPTY: 'the znode has children',
    SESSION_ENDED: String(error),
    OTHER: String(error),
  }[code];
  return new ZooKeeperError(code, `ZooKeeper ${path}: ${words}`, { cause: error });
}

function connectionLoss(path: string, reason: string): ZooKeeperError {
  return new ZooKeeperError(
    'CONNECTION_LOSS',
    `ZooKeeper ${path}: the connection was lost before the answer: ${reason}`,
  );
}
