/** Joins an exec session: connects it with this process' standard streams. */

import { once } from 'node:events';
import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type ClientControl, encodeControl, type Outcome } from '../../exec/control.ts';
import { CHANNELS } from '../../exec/frames.ts';
import { isJson, parseJson } from '../../json.ts';

export interface ExecStreams {
  /** Undefined: the command's standard input is empty. */
  readonly stdin: NodeJS.ReadStream | undefined;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** The command runs in a terminal: keys are passed on as they are typed, and the size is kept. */
  readonly tty: boolean;
}

/** Longest content of a message to the scheduler. */
const MAX_INPUT = 64 * 1024;
const BEGIN_MS = 30_000;
/** The scheduler answers pings at once; a connection without any sign of it for this time is lost. */
const PATIENCE = { pingEveryMs: 15_000, silentLimitMs: 45_000, beginMs: 10_000 };
const RETRY_MS = 250;
/** The refusal of a new leader, which does not know the session. After any other failure, the command may have begun. */
const UNKNOWN = /Unexpected server response: 404$/;
/** The exit code of a command that ended because nobody read its output (SIGPIPE). */
const UNREAD: Outcome = { type: 'exit', code: 141 };

/** A WebSocket of the scheduler. */
export interface ExecSocket {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates in PEM that the scheduler is verified with. Default: the system's. */
  readonly ca?: string | undefined;
  /** Makes the connection, for example through a proxy. */
  readonly agent?: Agent | undefined;
}

/**
 * @param create creates a session; called again if the leader has changed before it began
 * @returns how the command ended; undefined if the connection was lost
 * @throws Error if the session can't begin, and the errors of `create`
 */
export async function joinExecSession(
  create: () => Promise<ExecSocket>,
  streams: ExecStreams,
  patience = PATIENCE,
): Promise<Outcome | undefined> {
  for (const end = performance.now() + patience.beginMs; ; await sleep(RETRY_MS)) {
    const socket = connect(await create());
    try {
      return await joinSocket(socket, streams, patience);
    } catch (error) {
      if (!UNKNOWN.test((error as Error).message) || performance.now() > end) throw error;
    }
  }
}

function connect({ url, headers, ca, agent }: ExecSocket): WebSocket {
  const options = { headers, agent, perMessageDeflate: false, handshakeTimeout: BEGIN_MS };
  return new WebSocket(url, { ...options, ...(ca !== undefined && { ca }) });
}

async function joinSocket(
  socket: WebSocket,
  streams: ExecStreams,
  patience: typeof PATIENCE,
): Promise<Outcome | undefined> {
  let outcome: Outcome | undefined;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('message', (data: Buffer) => {
    const content = data.subarray(1);
    if (data[0] === CHANNELS.control) outcome = outcomeOf(content) ?? outcome;
    else writeTo(data[0] === CHANNELS.stderr ? streams.stderr : streams.stdout, content, socket);
  });
  const endUnread = ({ code }: NodeJS.ErrnoException): void => {
    if (code !== 'EPIPE') return;
    outcome ??= UNREAD;
    socket.terminate();
  };
  for (const out of [streams.stdout, streams.stderr]) out.once('error', endUnread);
  let restore = (): void => {};
  let stop = (): void => {};
  try {
    await once(socket, 'open');
    socket.on('error', () => {});
    restore = passInput(socket, streams);
    stop = endIfSilent(socket, patience);
    await closed;
  } finally {
    stop();
    restore();
    for (const out of [streams.stdout, streams.stderr]) out.off('error', endUnread);
  }
  return outcome;
}

/** Closes a connection whose other side has disappeared. @returns a function that ends the watch */
function endIfSilent(socket: WebSocket, { pingEveryMs, silentLimitMs }: typeof PATIENCE): () => void {
  let heardAt = performance.now();
  const hear = (): void => {
    heardAt = performance.now();
  };
  for (const sign of ['message', 'ping', 'pong']) socket.on(sign, hear);
  const pinging = setInterval(() => {
    // While a slow reader of the output stops the connection, no answer can arrive.
    if (socket.isPaused) hear();
    else if (performance.now() - heardAt > silentLimitMs) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, pingEveryMs);
  return () => clearInterval(pinging);
}

/** A slow reader of the output slows down the command. */
function writeTo(out: NodeJS.WriteStream, content: Buffer, socket: WebSocket): void {
  if (out.write(content)) return;
  socket.pause();
  out.once('drain', () => socket.resume());
}

/** @returns a function that restores the terminal */
function passInput(socket: WebSocket, { stdin, stdout, tty }: ExecStreams): () => void {
  const send = (message: ClientControl) => sendFrame(socket, CHANNELS.control, encodeControl(message));
  const resize = (): void => send({ type: 'resize', columns: stdout.columns, rows: stdout.rows });
  if (tty) stdout.on('resize', resize);
  if (!stdin) {
    send({ type: 'end' });
    return () => stdout.off('resize', resize);
  }
  const isRaw = tty && stdin.isTTY;
  if (isRaw) stdin.setRawMode(true);
  const take = (chunk: Buffer): void => {
    for (let at = 0; at < chunk.length; at += MAX_INPUT) {
      sendFrame(socket, CHANNELS.stdin, chunk.subarray(at, at + MAX_INPUT), () => {
        if (socket.bufferedAmount < MAX_INPUT) stdin.resume();
      });
    }
    if (socket.bufferedAmount > MAX_INPUT) stdin.pause();
  };
  const end = (): void => send({ type: 'end' });
  stdin.on('data', take);
  stdin.once('end', end);
  return () => {
    stdin.off('data', take);
    stdin.off('end', end);
    stdout.off('resize', resize);
    if (isRaw) stdin.setRawMode(false);
    stdin.pause();
  };
}

function sendFrame(socket: WebSocket, channel: number, content: Uint8Array, done?: () => void): void {
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(Buffer.concat([Buffer.of(channel), content]), () => done?.());
  }
}

function outcomeOf(content: Buffer): Outcome | undefined {
  const message = parseJson(content.toString('utf8'));
  if (!isJson(message)) return undefined;
  if (message.type === 'exit') return { type: 'exit', code: Number(message.code) };
  return message.type === 'error' ? { type: 'error', message: String(message.message) } : undefined;
}
