/**
 * The parts that long answers are made of: one for each app. A part is kept until its app changes, so an answer costs
 * what has changed since the last, and the copying of the rest.
 */

import { hash } from 'node:crypto';
import type { AppRecord } from '../../domain/state.ts';

export interface Part {
  readonly bytes: Buffer;
  /** Equal for equal bytes, also in another scheduler. */
  readonly hash: string;
}

interface Kept {
  /** The app's revision that the parts show. */
  readonly revision: number;
  readonly parts: Map<string, Part>;
}

/** Of each app: as many clients may ask for different things in turn, and memory stays bounded. */
const MAX_KINDS = 4;

const kept = new WeakMap<AppRecord, Kept>();

/**
 * @param kind names what is made: equal for what is equal of the same app
 * @param make must depend on nothing else but the record and its tasks
 */
export function partOf(record: AppRecord, kind: string, make: (record: AppRecord) => string): Part {
  const { revision } = record;
  let found = kept.get(record);
  if (found?.revision !== revision) {
    found = { revision, parts: new Map() };
    kept.set(record, found);
  }
  const known = found.parts.get(kind);
  if (known) return known;
  if (found.parts.size >= MAX_KINDS) found.parts.clear();
  const part = newPart(make(record));
  found.parts.set(kind, part);
  return part;
}

export function newPart(text: string): Part {
  // Of its own: a small piece of memory that is kept would keep the whole pool that it was cut from.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return { bytes, hash: hash('sha1', bytes, 'base64url') };
}

export function bytesOf(parts: readonly Part[]): Buffer[] {
  return parts.map(({ bytes }) => bytes);
}
