/**
 * Caches the parts of long answers, one for each app, until the app changes. So an answer costs only the changes since
 * the last one, and a copy of the rest.
 */

import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { AppRecord } from '../../domain/state.ts';
import type { Text } from '../body.ts';
import { withoutEnvironment } from '../viewer-json.ts';

export interface Part extends Text {
  /** Equal for equal bytes, also in other schedulers. */
  readonly hash: string;
  /** True if it is compressed together with the parts before it, but not with those after it. */
  readonly endsGroup: boolean;
}

interface Kept {
  /** The app's revision at the time of caching. */
  readonly revision: number;
  readonly parts: Map<string, Part>;
}

/** Cached parts for each app: bounds memory, and is enough for a few clients with different requests. */
const MAX_KINDS = 4;
/** Apps that are compressed together, on average: fewer would compress badly, more would be compressed too often. */
const APPS_OF_GROUP = 8;
/** Compressed alone. */
const LARGE_BYTES = 1 << 16;

const kept = new WeakMap<AppRecord, Kept>();

/**
 * @param kind the cache key: equal kinds must have equal parts for the same app
 * @param make must depend only on the record and its tasks
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
  // By the id, so that the groups stay the same when other apps come and go.
  const part = newPart(make(record), crc32(record.app.id) % APPS_OF_GROUP === 0);
  found.parts.set(kind, part);
  return part;
}

export function newPart(text: string, endsGroup = false): Part {
  const length = Buffer.byteLength(text);
  return {
    text,
    length,
    hash: hash('sha1', text, 'base64url'),
    endsGroup: endsGroup || length >= LARGE_BYTES,
  };
}

const forViewers = new WeakMap<Part, Part>();

/** @returns the part without values of environment variables, cached as long as the part itself */
export function partForViewers(part: Part): Part {
  const known = forViewers.get(part);
  if (known) return known;
  const made = newPart(withoutEnvironment(part.text), part.endsGroup);
  forViewers.set(part, made);
  return made;
}
