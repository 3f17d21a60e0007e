/** Large answers go out compressed to those who ask for that. */

import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import { type Body, lengthOf, send } from './body.ts';

/** Less isn't worth it. */
const LEAST_BYTES = 4096;
/** Lists of apps shrink about tenfold at any level; the lower ones cost a fraction of the time. */
const LEVEL = 1;
/** What goes to the compressor, and comes back, at a time: each turn costs as much as some kilobytes. */
const LOT_BYTES = 1 << 18;

/** @returns whether it has taken the answer on; the work is done off the event loop */
export function squeeze(
  reply: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Body,
): boolean {
  const { request, raw } = reply;
  if (lengthOf(body) < LEAST_BYTES) return false;
  raw.appendHeader('Vary', 'Accept-Encoding');
  if (request.method === 'HEAD' || !takesGzip(request.headers['accept-encoding'])) return false;
  gzip(body).then(
    (small) => {
      if (raw.destroyed) return;
      const { 'Content-Length': _length, ETag: etag, ...rest } = headers;
      const own = {
        'Content-Encoding': 'gzip',
        ...(rest['Transfer-Encoding'] === undefined && { 'Content-Length': String(lengthOf(small)) }),
        // The same in meaning, not byte by byte.
        ...(etag !== undefined && { ETag: `W/${etag}` }),
      };
      send(reply, status, { ...rest, ...own }, small);
    },
    () => {
      if (!raw.destroyed) send(reply, status, headers, body);
    },
  );
  return true;
}

async function gzip(body: Body): Promise<Buffer[]> {
  const zip = createGzip({ level: LEVEL, chunkSize: LOT_BYTES });
  const [small] = await Promise.all([zip.toArray(), pipeline(lotsOf(body), zip)]);
  return small;
}

function* lotsOf(body: Body): Generator<Buffer> {
  let lot: Buffer[] = [];
  let length = 0;
  for (const bytes of body) {
    lot.push(bytes);
    length += bytes.length;
    if (length < LOT_BYTES) continue;
    yield Buffer.concat(lot);
    lot = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(lot);
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
