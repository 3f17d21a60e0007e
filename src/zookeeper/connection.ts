/**
 * One TCP connection to one ZooKeeper server, from the handshake to its end. The next connection continues the session
 * by its id. Pings and the renewal of watches are left out: the session's heartbeats are requests, and it fires all of
 * its watches once another connection continues it.
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

/** Of the password of a session that there isn't yet. */
const PASSWORD_BYTES = 16;

export interface ConnectOptions {
  server: ZooKeeperServer;
  /** `user:password` */
  credentials?: string;
  /** Of the session, as wished for. */
  timeoutMs: number;
  resume?: Resumption;
  /** For the whole way to an answer of the server. */
  withinMs: number;
  /** Called in the order of the connection: after the answers that precede the event, before those that follow it. */
  onEvent?: (event: WatchEvent) => void;
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
  /** Rejects with ZooKeeperError, CONNECTION_LOSS for all under way at the end. */
  request<T>(request: Request<T>): Promise<T>;
  /** Ends the session at the server; resolves when the server has closed the connection. */
  endSession(): Promise<void>;
  /** Cuts the connection. */
  destroy(reason: string): void;
}

/** @throws ConnectError */
export function connect(options: ConnectOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = new TcpConnection(options, resolve);
    void connection.closed.then((end) => reject(new ConnectError(end)));
  });
}

/** A request that awaits its answer. */
interface Pending {
  readonly xid: number;
  /** @throws WireError, and then the request still awaits its answer */
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
  /** In the order of their requests, which is that of the answers too. */
  readonly #pending: Pending[] = [];
  readonly #tooLate: NodeJS.Timeout;
  #resolveClosed: (end: ConnectionEnd) => void = () => {};
  #end: ConnectionEnd | undefined;
  /** Of no session before the server's answer to the handshake. */
  #identity: Identity = { id: Buffer.alloc(LONG_BYTES), password: Buffer.alloc(PASSWORD_BYTES) };
  #zxid: Buffer = Buffer.alloc(LONG_BYTES);
  #xid = 0;
  timeoutMs = 0;
  made = 0;
  answered = 0;

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
      this.made += 1;
      this.#socket.write(packet(int(xid), int(type), body));
    });
  }

  async endSession(): Promise<void> {
    if (this.#end) return;
    // The end of the connection counts, not the answer before it.
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
        if (this.timeoutMs === 0) this.#takeUp(received);
        else this.#take(readReply(received));
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.destroy(`${this.#where} sent what can't be read: ${error.message}`);
    }
  }

  #takeUp(received: Buffer): void {
    const session = readConnectResponse(received);
    if (!session) {
      this.#finish({ reason: `${this.#where} says that the session has expired`, fatal: true });
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
      this.#finish({ reason: `${this.#where} refused user and password`, fatal: true });
      return;
    }
    const first = this.#pending[0];
    if (first?.xid !== reply.xid)
      throw new WireError(`an answer to no request or out of turn: xid ${reply.xid}`);
    if (reply.zxid.readBigInt64BE() > 0n) this.#zxid = reply.zxid;
    first.answer(reply);
    this.#pending.shift();
    this.answered += 1;
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
