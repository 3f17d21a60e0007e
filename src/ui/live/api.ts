/** The client of the scheduler that served the page. The session's cookie authenticates it. */

import { ApiClient } from '../../client/api-client.ts';
import { ApiError } from '../../client/api-error.ts';
import { streamClosed, streamHeard } from './stream.ts';

export const api = new ApiClient({ urls: [location.origin], fetch: fetchObserved });

/** A page is not as patient as a command: it shows at once that the scheduler does not answer. */
export const SHORT = { patienceMs: 2000 };

/** The stream of all events is observed, since its client reconnects without a word. */
async function fetchObserved(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers);
  // Without it, a browser would ask for the password by itself.
  headers.set('X-Requested-With', 'mesosup');
  const response = await fetch(input, { ...init, headers });
  if (!response.ok || !response.body || !String(input).includes('/v2/events')) return response;
  streamHeard();
  const observed = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      streamHeard();
      controller.enqueue(chunk);
    },
  });
  response.body.pipeTo(observed.writable).then(streamClosed, streamClosed);
  return new Response(observed.readable, { status: response.status, headers: response.headers });
}

/** The message of an error for people, with what to do. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { origin } = location;
  const message = error.message.replace(`no scheduler answers at ${origin}: `, '').replace(`${origin}: `, '');
  if (!(error instanceof ApiError)) return message;
  // The remedies of the client name commands; on a page, buttons do the same.
  return error.status === undefined ? `The scheduler does not answer (${message})` : message;
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}
