/**
 * One TCP connection to one ZooKeeper server, from the handshake to its end. The next connection resumes the session by
 * its id. Pings and the renewal of watches are not implemented: the session's heartbeats are requests, and it fires all
 * of its watches after a reconnect.
 */

import { connect as connectTcp, type Socket } from 'node:net';
import { showServer, type ZooKeeperServer } from './address.ts';
import { ZooKeeperError } from './client.ts';
import { int, LONG_BYTES, WireError } from './wire/jute.ts';
import { PacketReader, packet } from './wire/packets.ts';
import {
  AUTH_XID,
  authRequest,
  connectRequest,
  type Identity,
  NOTIFICATION_XID,
  nextXid,
  type Reply,
  type Resumption,
  readConnectResponse,
  readReply,
  readWatchEvent,
  type WatchEvent,
} from './wire/protocol.ts';
import { closeSession, type Request } from './wire/requests.ts';

/** Size of the empty password for a new session. */
const PASSWORD_BYTES = 16;

export interface ConnectOptions {
  server: ZooKeeperServer;
  /** `user:password` */
  credentials?: string;
  /** The requested session timeout. */
  timeoutMs: number;
  resume?: Resumption;
  /** Time limit from the connection attempt to the server's answer, in milliseconds. */
  withinMs: number;
  /** Called in the order of arrival, relative to answers and other events. */
  onEvent?: (event: WatchEvent) => void;
}

export interface ConnectionEnd {
  readonly reason: string;
  /** True if no server can resume the session. */
  readonly fatal: boolean;
}

/** The connection failed. */
export class ConnectError extends Error {
  override name = 'ConnectError';
  readonly fatal: boolean;

  constructor({ reason, fatal }: ConnectionEnd) {
    super(reason);
    this.fatal = fatal;
  }
}

export interface Connection {
  /** The negotiated session timeout in milliseconds. */
  readonly timeoutMs: number;
  /** Resolves when the connection has been closed, by either side. */
  readonly closed: Promise<ConnectionEnd>;
  /** Returns the data that the next connection needs; the zxid is that of the last answer. */
  resumption(): Resumption;
  /** Numbers of requests sent and answered. A server answers in order. */
  readonly sentCount: number;
  readonly answeredCount: number;
  /** Rejects with ZooKeeperError; with CONNECTION_LOSS for all requests pending when the connection closes. */
  request<T>(request: Request<T>): Promise<T>;
  /** Ends the session at the server; resolves when the server has closed the connection. */
  endSession(): Promise<void>;
  /** Closes the connection without a request. */
  destroy(reason: string): void;
}

/** @throws ConnectError */
export function connect(options: ConnectOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = new TcpConnection(options, resolve);
    void connection.closed.then((end) => reject(new ConnectError(end)));
  });
}

/** A request that waits for its answer. */
interface Pending {
  readonly xid: number;
  /** @throws WireError; the request then stays pending */
  readonly answer: (reply: Reply) => void;
  readonly fail: (reason: string) => void;
}

class TcpConnection implements Connection {
  readonly closed: Promise<ConnectionEnd>;
  readonly #where: string;
  readonly #socket: Socket;
  readonly #options: ConnectOptions;
  readonly #onConnected: (connection: Connection) => void;
  readonly #packets = new PacketReader();
  /** In the order of the requests, which is also the order of the answers. */
  readonly #pending: Pending[] = [];
  readonly #tooLate: NodeJS.Timeout;
  #resolveClosed: (end: ConnectionEnd) => void = () => {};
  #end: ConnectionEnd | undefined;
  /** All zeros (no session) before the server's answer to the handshake. */
  #identity: Identity = { id: Buffer.alloc(LONG_BYTES), password: Buffer.alloc(PASSWORD_BYTES) };
  #zxid: Buffer = Buffer.alloc(LONG_BYTES);
  #xid = 0;
  timeoutMs = 0;
  sentCount = 0;
  answeredCount = 0;

  constructor(options: ConnectOptions, onConnected: (connection: Connection) => void) {
    const { server, resume, withinMs } = options;
    this.#options = options;
    this.#onConnected = onConnected;
    this.#where = showServer(server);
    if (resume) {
      this.#identity = resume;
      this.#zxid = resume.zxid;
    }
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#tooLate = setTimeout(
      () => this.destroy(`${this.#where} did not answer within ${Math.round(withinMs)} ms`),
      withinMs,
    );
    this.#socket = connectTcp({ host: server.host, port: server.port, noDelay: true });
    this.#socket.on('connect', () =>
      this.#socket.write(packet(connectRequest(options.timeoutMs, this.resumption()))),
    );
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // The error of several addresses of one name has no message.
    this.#socket.on('error', ({ message, code }: NodeJS.ErrnoException) =>
      this.destroy(`${this.#where}: ${message || code}`),
    );
    this.#socket.on('close', () => this.destroy(`the connection to ${this.#where} was closed`));
  }

  resumption(): Resumption {
    return { id: this.#identity.id, password: this.#identity.password, zxid: this.#zxid };
  }

  request<T>({ type, path, body, read }: Request<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => reject(connectionLoss(path, reason));
      if (this.#end) {
        fail(this.#end.reason);
        return;
      }
      const answer = (reply: Reply): void => {
        try {
          resolve(read(reply));
        } catch (error) {
          if (!(error instanceof ZooKeeperError)) throw error;
          reject(error);
        }
      };
      const xid = this.#xid;
      this.#xid = nextXid(xid);
      this.#pending.push({ xid, answer, fail });
      this.sentCount += 1;
      this.#socket.write(packet(int(xid), int(type), body));
    });
  }

  async endSession(): Promise<void> {
    if (this.#end) return;
    // The end of the connection confirms the end of the session; the answer is not needed.
    this.request(closeSession).catch(() => {});
    await this.closed;
  }

  destroy(reason: string): void {
    this.#finish({ reason, fatal: false });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const received of this.#packets.read(chunk)) {
        if (this.#end) return;
        if (this.timeoutMs === 0) this.#startSession(received);
        else this.#take(readReply(received));
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.destroy(`${this.#where} sent an invalid packet: ${error.message}`);
    }
  }

  #startSession(received: Buffer): void {
    const session = readConnectResponse(received);
    if (!session) {
      this.#finish({ reason: `${this.#where} reports that the session has expired`, fatal: true });
      return;
    }
    clearTimeout(this.#tooLate);
    this.#identity = session;
    this.timeoutMs = session.timeoutMs;
    const { credentials } = this.#options;
    if (credentials !== undefined) this.#socket.write(packet(authRequest(credentials)));
    this.#onConnected(this);
  }

  #take(reply: Reply): void {
    if (reply.xid === NOTIFICATION_XID) {
      const event = readWatchEvent(reply.record);
      this.#options.onEvent?.(event);
      return;
    }
    if (reply.xid === AUTH_XID) {
      if (reply.error === 0) return;
      this.#finish({ reason: `${this.#where} refused the user and password`, fatal: true });
      return;
    }
    const first = this.#pending[0];
    if (first?.xid !== reply.xid)
      throw new WireError(`an unexpected or out-of-order answer: xid ${reply.xid}`);
    if (reply.zxid.readBigInt64BE() > 0n) this.#zxid = reply.zxid;
    first.answer(reply);
    this.#pending.shift();
    this.answeredCount += 1;
  }

  #finish(end: ConnectionEnd): void {
    if (this.#end) return;
    this.#end = end;
    clearTimeout(this.#tooLate);
    this.#socket.destroy();
    this.#resolveClosed(end);
    for (const { fail } of this.#pending.splice(0)) fail(end.reason);
  }
}

function connectionLoss(path: string, reason: string): ZooKeeperError {
  return new ZooKeeperError(
    'CONNECTION_LOSS',
    `ZooKeeper ${path}: the connection was lost before the answer: ${reason}`,
  );
}
