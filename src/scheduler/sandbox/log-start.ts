/** Finds where to begin to read the output of a task. */

import { indexName } from '../../exec/time-index.ts';
import { AgentError } from './agent-addresses.ts';
import { CHUNK_BYTES, type LogDirectory, LogFile, nameOf, oldest } from './log-file.ts';
import { anchorLength, type Position, positionAt } from './log-position.ts';
import { type LogStart, TimeIndex } from './log-since.ts';

const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);
/** A file may be rotated while the start is sought in it. */
const ATTEMPTS = 5;
/** Bytes at the end of a file in which last lines are sought: lines of a task can be as long as its disk is large. */
const MAX_SOUGHT_BYTES = 32 << 20;

export interface StartedLog {
  readonly file: LogFile;
  /** Bytes from the start to the present end; at most so many after a given position. */
  readonly available: number;
}

/** With several of them, the output begins at the latest. Without any, it begins at the oldest line. */
export interface From {
  /** After which to begin; the others are ignored. */
  readonly position?: Position;
  /** Number of last lines. */
  readonly lines?: number;
  /** Time of the first line, in milliseconds since the epoch. */
  readonly since?: number;
}

/** @throws NoTimesError if the output has no times for `since` @throws AgentError */
export async function startLog(directory: LogDirectory, name: string, from: From): Promise<StartedLog> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await tryStart(directory, name, from);
    if (started) return started;
    if (attempt < ATTEMPTS) continue;
    if (from.since === undefined) return startLog(directory, name, {});
    throw new AgentError('The output is rotated so fast that its times could not be read: try again', 503);
  }
}

interface Listing {
  /** Of the files of the stream, the newest first. */
  readonly sizes: readonly number[];
  /** Undefined without `since`. */
  readonly index: TimeIndex | undefined;
  /** Undefined if the index is empty. */
  readonly currentFile: number | undefined;
}

async function listingOf(directory: LogDirectory, name: string, { since }: From): Promise<Listing> {
  const entries = await directory.list();
  const sizeOf = (file: string) => entries.find((entry) => entry.name === file)?.size;
  const sizes = Array.from(
    { length: oldest(entries, name) + 1 },
    (_, back) => sizeOf(nameOf(name, back)) ?? 0,
  );
  const index = since === undefined ? undefined : new TimeIndex(directory, name, sizeOf(indexName(name)));
  return { sizes, index, currentFile: await index?.currentFile() };
}

/** True if nothing was rotated between the listings. */
function isSame(before: Listing, after: Listing): boolean {
  const [newest = 0, ...older] = before.sizes;
  const [newestAfter = 0, ...olderAfter] = after.sizes;
  return (
    newestAfter >= newest &&
    olderAfter.join() === older.join() &&
    (before.currentFile === undefined || before.currentFile === after.currentFile)
  );
}

/** @returns undefined if the file has been rotated in the meantime */
async function tryStart(directory: LogDirectory, name: string, from: From): Promise<StartedLog | undefined> {
  const { position, lines, since } = from;
  const listing = await listingOf(directory, name, position ? {} : from);
  const { sizes, index } = listing;
  const last = sizes.length - 1;
  const upTo = (back: number) => sizes.slice(0, back + 1).reduce((sum, size) => sum + size, 0);
  if (position) return { file: new LogFile(directory, name, position), available: upTo(last) };
  const starts: LogStart[] = [{ back: last, offset: 0 }];
  if (lines !== undefined) starts.push(await findTail(directory, name, sizes, lines));
  if (index && since !== undefined) starts.push(await index.startOf(sizes, since));
  const start = starts.reduce(later);
  const available = upTo(start.back) - start.offset;
  const { back, offset } = endOfOlder(start, sizes);
  const length = anchorLength(offset);
  const before = length === 0 ? NOTHING : await directory.read(nameOf(name, back), offset - length, length);
  if (before?.length !== length) return undefined;
  if (starts.length > 1 && !isSame(listing, await listingOf(directory, name, from))) return undefined;
  return { file: new LogFile(directory, name, positionAt(offset, before), back), available };
}

function later(one: LogStart, other: LogStart): LogStart {
  const isLater = other.back < one.back || (other.back === one.back && other.offset > one.offset);
  return isLater ? other : one;
}

/** The beginning of a file has no bytes by which to find it again, so it becomes the end of the file before it. */
function endOfOlder({ back, offset }: LogStart, sizes: readonly number[]): LogStart {
  if (offset > 0 || back === sizes.length - 1) return { back, offset };
  return endOfOlder({ back: back + 1, offset: sizes[back + 1] ?? 0 }, sizes);
}

/** Finds the beginning of the last lines, over all files. */
async function findTail(
  directory: LogDirectory,
  name: string,
  sizes: readonly number[],
  lines: number,
): Promise<LogStart> {
  let missing = lines;
  for (const [back, size] of sizes.entries()) {
    const { offset, found } = await findLastLines(directory, nameOf(name, back), size, missing);
    missing -= found;
    if (missing <= 0) return { back, offset };
  }
  return { back: sizes.length - 1, offset: 0 };
}

/**
 * @returns the offset at which the last lines of a file begin, and how many there are, at most as many as wanted. If
 * they are too long, the offset may be within a line, which counts for all that are missing.
 */
async function findLastLines(
  directory: LogDirectory,
  file: string,
  size: number,
  wanted: number,
): Promise<{ readonly offset: number; readonly found: number }> {
  if (wanted === 0 || size === 0) return { offset: size, found: 0 };
  let found = 0;
  let end = size;
  while (end > 0) {
    const from = Math.max(0, end - CHUNK_BYTES);
    const bytes = (await directory.read(file, from, end - from)) ?? NOTHING;
    for (let at = Math.min(end, from + bytes.length) - 1; at >= from; at -= 1) {
      // The last newline ends the last line.
      if (bytes[at - from] !== NEWLINE || at === size - 1) continue;
      found += 1;
      if (found === wanted) return { offset: at + 1, found };
    }
    end = from;
    if (end > 0 && size - end >= MAX_SOUGHT_BYTES) return { offset: end, found: wanted };
  }
  return { offset: 0, found: found + 1 };
}
