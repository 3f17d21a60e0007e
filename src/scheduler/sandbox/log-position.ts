/**
 * Positions in the output of a task, which stay valid when the file is rotated: an offset, and a digest of the bytes
 * before it, by which the file is found again under another name.
 */

import { createHash } from 'node:crypto';

export const STREAMS = ['stdout', 'stderr'] as const;
export type StreamName = (typeof STREAMS)[number];

export interface Position {
  readonly offset: number;
  /** Of the `anchorLength` bytes before the offset; empty at the beginning. */
  readonly digest: string;
}

const ANCHOR_BYTES = 64;

export function anchorLength(offset: number): number {
  return Math.min(ANCHOR_BYTES, offset);
}

/** @param before at least the `anchorLength` bytes before the offset */
export function positionAt(offset: number, before: Buffer): Position {
  return { offset, digest: offset === 0 ? '' : digestOf(before.subarray(-anchorLength(offset))) };
}

/** True if the bytes can be those before the position. */
export function isBefore(before: Buffer, { offset, digest }: Position): boolean {
  return before.length === anchorLength(offset) && (offset === 0 || digestOf(before) === digest);
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

export type Positions = Readonly<Partial<Record<StreamName, Position>>>;

/** The id of a server-sent event, such as `stdout:120-d9e0…,stderr:0-`. */
export function encodePositions(positions: Positions): string {
  return STREAMS.flatMap((stream) => {
    const position = positions[stream];
    return position ? `${stream}:${position.offset}-${position.digest}` : [];
  }).join(',');
}

/** @returns undefined for a text that `encodePositions` did not write */
export function decodePositions(text: string): Positions | undefined {
  const positions: Partial<Record<StreamName, Position>> = {};
  for (const part of text.split(',')) {
    const [, name, offset, digest = ''] = /^(\w+):(\d{1,15})-([0-9a-f]{16}|)$/.exec(part) ?? [];
    const stream = STREAMS.find((one) => one === name);
    if (!stream || (Number(offset) === 0) !== (digest === '')) return undefined;
    positions[stream] = { offset: Number(offset), digest };
  }
  return positions;
}
