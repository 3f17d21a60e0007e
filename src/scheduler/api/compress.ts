/** Large answers go out compressed to those who ask for that. */

import { gzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';

/** Less isn't worth it. */
const LEAST_BYTES = 4096;
/** Lists of apps shrink about tenfold at any level; the lower ones cost a fraction of the time. */
const LEVEL = 1;

/** @returns whether it has taken the answer on; the work is done off the event loop */
export function squeeze(
  { request, raw }: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | undefined,
): boolean {
  if (body === undefined || body.length < LEAST_BYTES) return false;
  raw.appendHeader('Vary', 'Accept-Encoding');
  if (request.method === 'HEAD' || !takesGzip(request.headers['accept-encoding'])) return false;
  gzip(body, { level: LEVEL }, (error, small) => {
    if (raw.destroyed) return;
    if (error) {
      raw.writeHead(status, headers).end(body);
      return;
    }
    const { 'Content-Length': _length, ETag: etag, ...rest } = headers;
    raw.writeHead(status, {
      ...rest,
      'Content-Encoding': 'gzip',
      ...(rest['Transfer-Encoding'] === undefined && { 'Content-Length': String(small.length) }),
      // The same in meaning, not byte by byte.
      ...(etag !== undefined && { ETag: `W/${etag}` }),
    });
    raw.end(small);
  });
  return true;
}

function takesGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .toLowerCase()
    .split(',')
    .some((entry) => {
      const [coding = '', ...parameters] = entry.split(';').map((part) => part.trim());
      return (coding === 'gzip' || coding === '*') && !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
    });
}
