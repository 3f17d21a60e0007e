/** Compresses large answers for clients that accept gzip. */

import { createGzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import { type Body, CHUNK_BYTES, lengthOf, send, writeChunks } from './body.ts';

/** Smaller answers are not worth compressing. */
const MIN_BYTES = 4096;
/** Lists of apps shrink about tenfold at any level; low levels take a fraction of the time. */
const LEVEL = 1;

/**
 * Compresses outside the event loop.
 * @param zip returns the compressed body
 * @returns true if it sends the answer, false if the caller must send it
 */
export function compress(
  reply: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Body,
  zip: () => Promise<Body> = () => gzip(body),
): boolean {
  const { request, raw } = reply;
  if (lengthOf(body) < MIN_BYTES) return false;
  raw.appendHeader('Vary', 'Accept-Encoding');
  if (request.method === 'HEAD' || !takesGzip(request.headers['accept-encoding'])) return false;
  zip().then(
    (small) => {
      if (raw.destroyed) return;
      const { 'Content-Length': _length, ETag: etag, ...rest } = headers;
      const own = {
        'Content-Encoding': 'gzip',
        ...(rest['Transfer-Encoding'] === undefined && { 'Content-Length': String(lengthOf(small)) }),
        // A weak ETag: the bytes differ, the content is the same.
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

async function gzip(body: Body): Promise<Body> {
  const zip = createGzip({ level: LEVEL, chunkSize: CHUNK_BYTES });
  void writeChunks(body, zip);
  return zip.toArray();
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
