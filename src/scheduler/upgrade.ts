/** Requests whose connection is to be used for another protocol than HTTP. */

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** The first bytes after the request. */
  readonly head: Buffer;
}

/** Time for a client to end its side of a connection too. */
const END_WITHIN_MS = 2000;

/** Ends a connection with what was written to it, also if the client keeps its side open. */
export function endConnection(socket: Duplex, withinMs = END_WITHIN_MS): void {
  socket.end();
  // Reads the client's end, and ignores what it still sends.
  socket.resume();
  const late = setTimeout(() => socket.destroy(), withinMs);
  socket.once('close', () => clearTimeout(late));
}

/** @returns an answer of HTTP to the request; the connection ends with it, unless the socket is detached before */
export function answerOf({ request, socket }: Upgrade): ServerResponse {
  const answer = new ServerResponse(request);
  answer.shouldKeepAlive = false;
  answer.assignSocket(socket as Socket);
  answer.once('finish', () => endConnection(socket));
  return answer;
}
