/**
 * A ZooKeeper session over several connections in turn. It decides about its own end and does not only wait for the
 * ensemble: a disconnected process must know that its session has ended before other processes do.
 *
 * The ensemble's leader measures the timeout from the last sign of the session, which followers report to the leader
 * with their own pings. Each heartbeat is an empty write, so that its answer proves that the server is connected to a
 * majority; the answer to a ping does not prove that. The session ends SAFE_SHARE of the timeout after the sending of the
 * last answered heartbeat; the remaining share covers the delay until the leader's followers report to it.
 */

import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { childPath, type ZooKeeperServer } from './address.ts';
import {
  type Access,
  type CreateMode,
  isZooKeeperError,
  type Operation,
  type SessionKey,
  type SessionState,
  type Stat,
  type Watch,
  type Znode,
  ZooKeeperError,
  type ZooKeeperSession,
} from './client.ts';
import { ConnectError, type Connection, type ConnectionEnd, connect } from './connection.ts';
import { Watches, type WatchKind } from './watches.ts';
import {
  create,
  exists,
  getChildren,
  getData,
  type Request,
  remove,
  setData,
  transact,
} from './wire/requests.ts';

/** The requested session timeout, as in Mesos; the servers limit it by their tick time. */
export const SESSION_TIMEOUT_MS = 10_000;
const SAFE_SHARE = 2 / 3;
const HEARTBEAT_SHARE = 1 / 6;
/** Time limit for the answer to a heartbeat or a handshake; leaves time to reach another server. */
const ANSWER_SHARE = 1 / 4;
/** Pause between two rounds through all servers. Without a session, it doubles each time up to the maximum. */
const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;
/** ZooKeeper's default for `jute.maxbuffer` is 1 MiB minus one byte, including the overhead of the request. */
export const LARGEST_REQUEST_BYTES = 1_000_000;
const BYTES_OF_AN_OPERATION = 100;
const CLOSE_WITHIN_MS = 1000;
const TOO_LATE = 'no server that is connected to a majority was reached in time';

export interface OpenOptions {
  servers: readonly [ZooKeeperServer, ...ZooKeeperServer[]];
  /** `user:password`, for the scheme `digest`. */
  credentials?: string;
  timeoutMs?: number;
  /** Cancels the opening of a session; does not affect an open session. */
  signal?: AbortSignal;
  /** Called with the reason why a server could not be reached, once per reason. The next server is tried. */
  onProblem?: (message: string) => void;
}

/**
 * Opens a session. Tries until a server accepts it. After its end, call this again for a new session.
 * @throws the signal's reason if it aborts, ZooKeeperError if the credentials are refused
 */
export async function openZooKeeper(options: OpenOptions): Promise<ZooKeeperSession> {
  const { servers, credentials, timeoutMs = SESSION_TIMEOUT_MS, signal, onProblem } = options;
  const reportedProblems = new Set<string>();
  const first = Math.floor(Math.random() * servers.length);
  for (let attempt = 0; ; attempt += 1) {
    const index = (first + attempt) % servers.length;
    const server = servers[index] ?? servers[0];
    const round = Math.floor(attempt / servers.length);
    if (round > 0 && attempt % servers.length === 0) {
      await pause(Math.min(PAUSE_MS * 2 ** (round - 1), LONGEST_PAUSE_MS), signal);
    }
    signal?.throwIfAborted();
    const began = performance.now();
    const watches = new Watches();
    try {
      const connection = await connect({
        server,
        ...(credentials !== undefined && { credentials }),
        timeoutMs,
        withinMs: timeoutMs * ANSWER_SHARE,
        onEvent: (event) => watches.fire(event),
      });
      const session = new Session(servers, credentials, watches, connection, index, began);
      if (!signal?.aborted) return session;
      await session.close();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ConnectError)) throw error;
      if (error.fatal) throw new ZooKeeperError('NO_AUTH', error.message);
      if (!reportedProblems.has(error.message)) onProblem?.(error.message);
      reportedProblems.add(error.message);
    }
  }
}

class Session implements ZooKeeperSession {
  readonly id: string;
  readonly key: SessionKey;
  readonly timeoutMs: number;
  readonly ended: Promise<string>;
  readonly #servers: readonly ZooKeeperServer[];
  readonly #credentials: string | undefined;
  readonly #watches: Watches;
  readonly #listeners = new Set<(state: SessionState) => void>();
  #server: number;
  #connection: Connection | undefined;
  /** Requests waiting for a connection. */
  #waiting: { start: (connection: Connection) => void; fail: (error: Error) => void }[] = [];
  #deadline: number;
  #deadlineTimer: NodeJS.Timeout;
  #heartbeat: NodeJS.Timeout | undefined;
  #closing = false;
  #endReason: string | undefined;
  #resolveEnded: (reason: string) => void = () => {};

  constructor(
    servers: readonly ZooKeeperServer[],
    credentials: string | undefined,
    watches: Watches,
    connection: Connection,
    server: number,
    began: number,
  ) {
    this.#servers = servers;
    this.#credentials = credentials;
    this.#watches = watches;
    this.#server = server;
    this.#connection = connection;
    const { id, password } = connection.resumption();
    this.id = id.toString('hex');
    this.key = { id: this.id, password: password.toString('hex') };
    this.timeoutMs = connection.timeoutMs;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#deadline = began + this.timeoutMs * SAFE_SHARE;
    this.#deadlineTimer = this.#watchDeadline();
    this.#use(connection);
  }

  get state(): SessionState {
    if (this.#endReason !== undefined || performance.now() >= this.#deadline) return 'ended';
    return this.#connection ? 'connected' : 'suspended';
  }

  onState(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(path: string, watch?: Watch): Promise<Znode | undefined> {
    return this.#read('data', watch, getData(path, watch !== undefined));
  }

  children(path: string, watch?: Watch): Promise<string[] | undefined> {
    return this.#read('children', watch, getChildren(path, watch !== undefined));
  }

  exists(path: string, watch?: Watch): Promise<Stat | undefined> {
    return this.#read('data', watch, exists(path, watch !== undefined));
  }

  async create(path: string, data: Uint8Array, access: Access, mode?: CreateMode): Promise<string> {
    const operation = { type: 'create', path, data, access, ...(mode && { mode }) } as const;
    refuseTooLarge([operation]);
    return this.#send(create(operation, this.#authenticated));
  }

  async createPath(path: string, access: Access): Promise<void> {
    // Checks the complete path first: its parents may not be accessible.
    if (path === '/' || (await this.exists(path))) return;
    let made = '/';
    for (const name of path.split('/').slice(1)) {
      made = childPath(made, name);
      if (await this.exists(made)) continue;
      try {
        await this.create(made, Buffer.alloc(0), access);
      } catch (error) {
        if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
      }
    }
  }

  async set(path: string, data: Uint8Array, version?: number): Promise<Stat> {
    refuseTooLarge([{ type: 'set', path, data }]);
    return this.#send(setData(path, data, version));
  }

  delete(path: string, version?: number): Promise<void> {
    return this.#send(remove(path, version));
  }

  async multi(operations: readonly Operation[]): Promise<string[]> {
    if (operations.length === 0) return [];
    refuseTooLarge(operations);
    return this.#send(transact(operations, this.#authenticated));
  }

  async close(): Promise<void> {
    if (this.#endReason !== undefined) return;
    this.#closing = true;
    const connection = this.#connection;
    if (connection) {
      const tooLate = setTimeout(() => this.#end('it was closed'), CLOSE_WITHIN_MS);
      await Promise.race([connection.endSession(), this.ended]);
      clearTimeout(tooLate);
    }
    this.#end('it was closed');
  }

  #lost(connection: Connection, { reason, fatal }: ConnectionEnd): void {
    if (this.#connection !== connection || this.#endReason !== undefined) return;
    this.#connection = undefined;
    clearTimeout(this.#heartbeat);
    if (fatal) {
      this.#end(reason);
      return;
    }
    this.#notifyListeners('suspended');
    void this.#reconnect(connection);
  }

  async #reconnect(last: Connection): Promise<void> {
    for (let attempt = 1; this.#endReason === undefined; attempt += 1) {
      if (attempt % (this.#servers.length + 1) === 0) await pause(PAUSE_MS);
      this.#server = (this.#server + 1) % this.#servers.length;
      const server = this.#servers[this.#server];
      if (!server || this.#endReason !== undefined) return;
      try {
        const connection = await connect({
          server,
          ...(this.#credentials !== undefined && { credentials: this.#credentials }),
          timeoutMs: this.timeoutMs,
          resume: last.resumption(),
          withinMs: this.timeoutMs * ANSWER_SHARE,
          onEvent: (event) => this.#watches.fire(event),
        });
        this.#resume(connection);
        return;
      } catch (error) {
        if (error instanceof ConnectError && error.fatal) this.#end(error.message);
      }
    }
  }

  /** Keeps the deadline until the first heartbeat: a server may resume a session without a majority. */
  #resume(connection: Connection): void {
    if (this.state === 'ended') {
      connection.destroy('the session has ended');
      return;
    }
    this.#connection = connection;
    this.#use(connection);
    for (const { start } of this.#waiting.splice(0)) start(connection);
    this.#notifyListeners('connected');
    this.#watches.fireAll();
  }

  #use(connection: Connection): void {
    void connection.closed.then((end) => this.#lost(connection, end));
    this.#beat(connection);
  }

  /**
   * Sends heartbeats. Closes a connection that does not answer one in time. While the server still answers earlier
   * requests, the heartbeat's time limit starts again.
   */
  #beat(connection: Connection): void {
    const began = performance.now();
    const ahead = connection.sentCount;
    let answered = connection.answeredCount;
    let over = false;
    const checkProgress = (): void => {
      if (over) return;
      const isQueued = connection.answeredCount < ahead && connection.answeredCount > answered;
      answered = connection.answeredCount;
      if (isQueued) tooLate = startTimer();
      else connection.destroy('a heartbeat was not answered');
    };
    // setImmediate: data that arrived while this process was busy is read first.
    const startTimer = () => setTimeout(() => setImmediate(checkProgress), this.timeoutMs * ANSWER_SHARE);
    let tooLate = startTimer();
    // Any answer counts: even a refusal to read the root comes from a majority.
    const onAnswer = (error?: unknown): void => {
      over = true;
      clearTimeout(tooLate);
      if (this.#connection !== connection || isZooKeeperError(error, 'CONNECTION_LOSS')) return;
      this.#extendDeadline(began);
      this.#heartbeat = setTimeout(() => this.#beat(connection), this.timeoutMs * HEARTBEAT_SHARE);
    };
    connection
      .request(transact([{ type: 'check', path: '/' }], this.#authenticated))
      .then(() => onAnswer(), onAnswer);
  }

  #extendDeadline(sentAt: number): void {
    // A session that has been reported as ended never continues.
    if (this.state === 'ended') return;
    this.#deadline = Math.max(this.#deadline, sentAt + this.timeoutMs * SAFE_SHARE);
  }

  #watchDeadline(): NodeJS.Timeout {
    return setTimeout(
      () => {
        if (performance.now() < this.#deadline) this.#deadlineTimer = this.#watchDeadline();
        else this.#end(TOO_LATE);
      },
      Math.max(0, Math.ceil(this.#deadline - performance.now())),
    );
  }

  #end(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    clearTimeout(this.#deadlineTimer);
    clearTimeout(this.#heartbeat);
    this.#connection?.destroy(reason);
    this.#connection = undefined;
    for (const { fail } of this.#waiting.splice(0)) fail(this.#endedError());
    this.#resolveEnded(reason);
    this.#notifyListeners('ended');
    this.#listeners.clear();
  }

  #notifyListeners(state: SessionState): void {
    for (const listener of [...this.#listeners]) listener(state);
  }

  #endedError(): ZooKeeperError {
    return new ZooKeeperError(
      'SESSION_ENDED',
      `the session with ZooKeeper has ended: ${this.#endReason ?? 'it was closed'}`,
    );
  }

  get #authenticated(): boolean {
    return this.#credentials !== undefined;
  }

  async #read<T>(kind: WatchKind, watch: Watch | undefined, request: Request<T>): Promise<T | undefined> {
    const read: Request<T>['read'] = (reply) => {
      const value = request.read(reply);
      if (watch) this.#watches.add(kind, request.path, watch);
      return value;
    };
    try {
      return await this.#send({ ...request, read });
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }

  /** Sends the request now, or at the next connection. */
  #send<T>(request: Request<T>): Promise<T> {
    if (!this.#closing && this.state === 'ended') this.#end(TOO_LATE);
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown): void =>
        reject(this.#endReason === undefined ? error : this.#endedError());
      const start = (connection: Connection): void => {
        connection.request(request).then(resolve, fail);
      };
      if (this.#closing || this.#endReason !== undefined) reject(this.#endedError());
      else if (this.#connection) start(this.#connection);
      else this.#waiting.push({ start, fail: reject });
    });
  }
}

/** Estimates the size of a request in bytes. */
export function sizeOf(operations: readonly Operation[]): number {
  return operations.reduce(
    (sum, operation) =>
      sum +
      BYTES_OF_AN_OPERATION +
      Buffer.byteLength(operation.path) +
      ('data' in operation ? operation.data.length : 0),
    0,
  );
}

/** Throws for a request that is too large: a server would close the connection without an answer. */
function refuseTooLarge(operations: readonly Operation[]): void {
  const bytes = sizeOf(operations);
  if (bytes <= LARGEST_REQUEST_BYTES) return;
  throw new ZooKeeperError(
    'OTHER',
    `ZooKeeper ${operations[0]?.path ?? '/'}: ${bytes} bytes in one request exceed the limit of ${LARGEST_REQUEST_BYTES}`,
  );
}

async function pause(about: number, signal?: AbortSignal): Promise<void> {
  const ms = about * (0.5 + Math.random() / 2);
  // The caller checks the signal.
  await wait(ms, undefined, signal && { signal }).catch(() => {});
}
