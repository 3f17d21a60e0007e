/** The exec sessions of the leading scheduler: their sockets, timers and log. session.ts decides. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EXECUTOR_PROTOCOL,
  encodeInvitation,
  type Outcome,
  readRegret,
  sessionOfPath,
} from '../../exec/control.ts';
import { FrameSocket } from '../../exec/frame-socket.ts';
import { MAX_FRAME_BYTES } from '../../exec/frames.ts';
import { isFrom, type MessageCall, type MessageEvent, messageTo } from '../executor-message.ts';
import { endConnection, type Upgrade } from '../upgrade.ts';
import { ExecClient, relayOutput } from './relay.ts';
import {
  beginSession,
  connectSession,
  createSession,
  dueOf,
  type ExecRequest,
  findExcess,
  nextDue,
  type Session,
} from './session.ts';

/** After the end of a task, its executor may still send the last output and the reason. */
const LAST_OUTPUT_MS = 3000;

export interface ExecSessionsOptions {
  /** Sends a MESSAGE, which may be lost. */
  send: (call: MessageCall) => Promise<void>;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: (fields: Readonly<Record<string, unknown>>, text: string) => void;
}

/** True for a request of an executor, false for one of a client. */
export function isOfExecutor({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === EXECUTOR_PROTOCOL;
}

interface Entry {
  session: Session;
  readonly timer: { current?: NodeJS.Timeout };
  client?: ExecClient;
  executor?: FrameSocket;
}

export class ExecSessions {
  readonly #options: ExecSessionsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: ExecSessionsOptions) {
    this.#options = options;
  }

  /** @returns the session; a text if there are too many */
  create(request: ExecRequest): { id: string; expiresAt: number } | string {
    const sessions = [...this.#entries.values()].map(({ session }) => session);
    const excess = findExcess(sessions, request.command.task);
    if (excess !== undefined) return excess;
    const now = this.#options.now();
    const session = createSession(randomName(), request, now);
    const entry: Entry = { session, timer: {} };
    this.#entries.set(session.id, entry);
    const { argv, tty, environment } = request.command;
    // The values of variables may be secret.
    this.#log(entry, 'exec session created', { argv, tty, environment: Object.keys(environment) });
    this.#tick(entry);
    return { id: session.id, expiresAt: nextDue(session) };
  }

  /**
   * Begins a session for the client that requests a WebSocket.
   * @param take returns the request's connection; called only if the session can begin
   * @returns why it can't begin, with the HTTP status
   */
  async begin(
    id: string,
    user: string | undefined,
    take: () => Upgrade,
  ): Promise<{ status: 403 | 404; message: string } | undefined> {
    // Loaded on demand: the scheduler starts faster without it.
    const { WebSocketServer } = await import('ws');
    const entry = this.#entries.get(id);
    const begun = beginSession(entry?.session, user, randomName(), this.#options.now());
    if ('status' in begun) return begun;
    if (!entry) throw new TypeError('a session without an entry has begun');
    entry.session = begun;
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_FRAME_BYTES + 1,
      perMessageDeflate: false,
      clientTracking: false,
    });
    const { request, socket, head } = take();
    // Not called if the request is not a valid WebSocket handshake: then the library refuses it.
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const client = new ExecClient(webSocket);
      entry.client = client;
      void client.closed.then(() =>
        this.#end(entry, { type: 'error', message: 'The client has disconnected' }),
      );
      this.#log(entry, 'exec session begun');
      this.#tick(entry);
    });
    if (!entry.client) this.#end(entry, { type: 'error', message: 'The WebSocket handshake is invalid' });
    return undefined;
  }

  /** Accepts the connection of an executor, which names its session in the path and sends the token. */
  accept({ request, socket, head }: Upgrade): void {
    const entry = this.#entries.get(sessionOfPath(request.url ?? '') ?? '');
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (entry?.session.phase !== 'inviting' || !isSame(entry.session.token, token)) {
      const body = 'There is no such exec session, or its token was used already\n';
      const headers = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close`;
      socket.write(`HTTP/1.1 403 Forbidden\r\n${headers}\r\n\r\n${body}`);
      endConnection(socket);
      return;
    }
    entry.session = connectSession(entry.session);
    clearTimeout(entry.timer.current);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${EXECUTOR_PROTOCOL}\r\n\r\n`,
    );
    const executor = new FrameSocket(socket as Socket, head);
    entry.executor = executor;
    this.#relay(entry, executor).catch((error: unknown) =>
      this.#end(entry, { type: 'error', message: String(error) }),
    );
  }

  /** Keeps the reason of an executor that can't connect. */
  takeMessage(event: MessageEvent): void {
    const regret = readRegret(event.message.data);
    const entry = this.#entries.get(regret?.session ?? '');
    if (!regret || entry?.session.phase !== 'inviting' || !isFrom(event, entry.session.request)) return;
    entry.session = { ...entry.session, regret: regret.reason };
  }

  /** Ends the sessions of a task that has ended. */
  endTask(taskId: string, state: string): void {
    for (const entry of this.#entries.values()) {
      if (entry.session.request.command.task !== taskId) continue;
      const end = (): void =>
        this.#end(entry, { type: 'error', message: `Task '${taskId}' has ended: ${state}` });
      if (entry.executor) void sleep(LAST_OUTPUT_MS, undefined, { ref: false }).then(end);
      else end();
    }
  }

  /** Ends all sessions, since this scheduler stops. */
  close(): void {
    for (const entry of [...this.#entries.values()])
      this.#end(entry, { type: 'error', message: 'The scheduler stops: create another exec session' });
  }

  async #relay(entry: Entry, executor: FrameSocket): Promise<void> {
    const { client, session } = entry;
    if (!client) throw new TypeError('an executor has connected to a session without a client');
    await executor.control({ type: 'start', command: session.request.command });
    client.connect(executor);
    this.#end(entry, await relayOutput(client, executor));
  }

  /** Does what is due now, and sets the timer. */
  #tick(entry: Entry): void {
    clearTimeout(entry.timer.current);
    const due = dueOf(entry.session, this.#options.now());
    if (due?.type === 'expire') {
      this.#end(entry, { type: 'error', message: 'No client has begun the session in time' });
      return;
    }
    if (due?.type === 'fail') {
      this.#end(entry, { type: 'error', message: due.reason });
      return;
    }
    if (due?.type === 'invite') {
      entry.session = due.session;
      this.#invite(due.session);
    }
    const at = nextDue(entry.session);
    if (at === Infinity) return;
    entry.timer.current = setTimeout(() => this.#tick(entry), Math.max(0, at - this.#options.now()));
  }

  #invite(session: Session): void {
    if (session.phase !== 'inviting') return;
    const invitation = encodeInvitation({ session: session.id, token: session.token });
    // Repeated, so a failure needs no other reaction.
    this.#options.send(messageTo(session.request, invitation)).catch((error: unknown) => {
      const entry = this.#entries.get(session.id);
      if (entry?.session.phase !== 'inviting') return;
      entry.session = { ...entry.session, regret: `the master did not accept the message: ${error}` };
    });
  }

  #end(entry: Entry, outcome: Outcome): void {
    const { session, client, executor, timer } = entry;
    if (!this.#entries.delete(session.id)) return;
    clearTimeout(timer.current);
    client?.end(outcome);
    executor?.close();
    const result = outcome.type === 'exit' ? { exitCode: outcome.code } : { reason: outcome.message };
    const begun = session.phase === 'created' ? undefined : session.begunAt;
    const seconds = begun === undefined ? {} : { seconds: (this.#options.now() - begun) / 1000 };
    this.#log(entry, 'exec session ended', { ...result, ...seconds });
  }

  /** The id of a session is written only in part, since it is a secret until it is used. */
  #log({ session }: Entry, text: string, more: Readonly<Record<string, unknown>> = {}): void {
    const { user, appId, command } = session.request;
    const who = { exec: session.id.slice(0, 8), user: user ?? null, app: appId, task: command.task };
    this.#options.log({ ...who, ...more }, text);
  }
}

function randomName(): string {
  return randomBytes(24).toString('base64url');
}

/** Compares secrets in constant time. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
