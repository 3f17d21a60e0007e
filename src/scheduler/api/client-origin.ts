/** Where a request comes from: a client's address, and whether it is from a page of this scheduler. */

import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Origin } from '../sign-in/attempts.ts';

/** Marks a request as forwarded, and names the scheduler that forwarded it. Marathon's name. */
export const VIA = 'x-marathon-via';

/** The longest IPv6 address with the name of a network interface. */
const MAX_ADDRESS = 64;

/** @returns the address of the client. Another scheduler, which forwards the request, tells it. */
export function originOf({ headers, socket }: IncomingMessage): Origin {
  const address = socket.remoteAddress ?? '';
  if (headers[VIA] === undefined) return { address };
  const forwarded = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .at(-1)
    ?.trim();
  // Anyone can send any text here, also a very long one.
  const isAddress = forwarded !== undefined && forwarded.length <= MAX_ADDRESS && isIP(forwarded) !== 0;
  return { address: isAddress ? forwarded : address, relay: address };
}

/** True if the browser's connection has TLS: to this scheduler, to another one, or to a proxy before it. */
export function hasTls({ headers, socket }: IncomingMessage): boolean {
  if (isEncrypted(socket)) return true;
  const [first = ''] = String(headers['x-forwarded-proto'] ?? '').split(',');
  return first.trim().toLowerCase() === 'https';
}

/** True for a connection with TLS. Only these have the property, and naming their class loads TLS, which takes 17 ms. */
export function isEncrypted(socket: Socket): boolean {
  return 'encrypted' in socket;
}

/** True if a browser says that the request is from another site, or from another port of this host. */
export function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && URL.parse(origin)?.host !== host;
}

/** True if a browser says that the request is from a page of this scheduler. All browsers do so for changes. */
export function isFromOwnPage({ headers }: IncomingMessage): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  return origin === undefined ? site === 'same-origin' : URL.parse(origin)?.host === host;
}

/**
 * True if a script of our page sent the request: it sends `X-Requested-With`; browsers send `Sec-Fetch-…`, but only with
 * TLS or to localhost.
 */
export function isByOwnScript({ headers }: IncomingMessage): boolean {
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'x-requested-with': by } = headers;
  return by !== undefined || (site === 'same-origin' && mode !== 'navigate');
}
