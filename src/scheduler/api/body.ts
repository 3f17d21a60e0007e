/** How the body of an answer leaves. */

import type { FastifyReply } from 'fastify';

/** Pieces, one after the other: a long answer is never copied into one. */
export type Body = readonly Buffer[];

/** Up to here copying is cheaper than many pieces. */
const FEW_BYTES = 1 << 18;

export function lengthOf(body: Body): number {
  return body.reduce((sum, { length }) => sum + length, 0);
}

export function send(
  { raw }: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Body,
): void {
  raw.writeHead(status, headers);
  if (lengthOf(body) <= FEW_BYTES) {
    raw.end(Buffer.concat(body));
    return;
  }
  raw.cork();
  for (const bytes of body) raw.write(bytes);
  raw.end();
}
