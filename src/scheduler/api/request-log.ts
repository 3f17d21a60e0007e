/** Assigns an id to every request, and reports its result. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Answered } from './answered.ts';
import type { Api } from './answers.ts';
import { originOf } from './client-origin.ts';
import { roleOf } from './request-user.ts';

const NAME = /^[\w.-]{1,64}$/;

/** @returns the id assigned by a proxy if it is valid, otherwise a new one */
export function requestId({ headers }: IncomingMessage): string {
  const received = headers['x-request-id'];
  return typeof received === 'string' && NAME.test(received) ? received : randomUUID();
}

/** @param onAnswered not called for event streams, which last until the client disconnects */
export function addRequestHooks(api: Api, onAnswered: (answer: Answered) => void): void {
  api.addHook('onRequest', async (request, reply) => {
    const begin = performance.now();
    const { id, method, url } = request;
    const route = request.routeOptions.url ?? 'none';
    const { address } = originOf(request.raw);
    reply.raw.setHeader('X-Request-Id', id);
    // Output of tasks must never be run as a script or shown as a page.
    reply.raw.setHeader('X-Content-Type-Options', 'nosniff');
    if (route === '/v2/events') return;
    reply.raw.once('close', () => {
      const seconds = (performance.now() - begin) / 1000;
      const user = request.user?.name;
      onAnswered({
        id,
        address,
        ...(user !== undefined && { user }),
        needed: roleOf(request),
        method,
        url,
        route,
        status: reply.raw.statusCode,
        seconds,
      });
    });
  });
}
