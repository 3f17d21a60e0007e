import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Reads and ignores what a client still sends of its request, and leaves it to the client to close the connection.
 * Closing it with unread data would reset it, and the client would lose the answer. The server's `requestTimeout`
 * limits the time. To be called before the headers of the answer are written.
 */
export function ignoreRest(request: IncomingMessage, answer: ServerResponse): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (request.complete || (encoding === undefined && Number(length ?? 0) === 0)) return;
  answer.shouldKeepAlive = true;
  answer.once('finish', () => request.unpipe().resume());
}
