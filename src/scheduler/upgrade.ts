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

/** @returns an answer of HTTP to the request; the connection ends with it, unless the socket is detached before */
export function answerOf({ request, socket }: Upgrade): ServerResponse {
  // A client that disconnects early is no error of the scheduler.
  socket.on('error', () => socket.destroy());
  const answer = new ServerResponse(request);
  answer.shouldKeepAlive = false;
  answer.assignSocket(socket as Socket);
  answer.once('finish', () => socket.end());
  return answer;
}
