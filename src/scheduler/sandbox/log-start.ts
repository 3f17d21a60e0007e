/** Finds where to begin to read the output of a task. */

import { CHUNK_BYTES, type LogDirectory, LogFile, nameOf, oldest } from './log-file.ts';
import { anchorLength, type Position, positionAt } from './log-position.ts';

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

/** @param from the position after which to begin; the number of last lines; or nothing for the oldest line */
export async function startLog(
  directory: LogDirectory,
  name: string,
  from: { readonly position?: Position; readonly lines?: number },
): Promise<StartedLog> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await tryStart(directory, name, from);
    if (started) return started;
    if (attempt === ATTEMPTS) return startLog(directory, name, {});
  }
}

/** @returns undefined if the file has been rotated in the meantime */
async function tryStart(
  directory: LogDirectory,
  name: string,
  { position, lines }: Parameters<typeof startLog>[2],
): Promise<StartedLog | undefined> {
  const entries = await directory.list();
  const last = oldest(entries, name);
  const sizes = Array.from(
    { length: last + 1 },
    (_, back) => entries.find((entry) => entry.name === nameOf(name, back))?.size ?? 0,
  );
  const upTo = (back: number) => sizes.slice(0, back + 1).reduce((sum, size) => sum + size, 0);
  if (position) return { file: new LogFile(directory, name, position), available: upTo(last) };
  if (lines === undefined) {
    return { file: new LogFile(directory, name, positionAt(0, NOTHING), last), available: upTo(last) };
  }
  let missing = lines;
  for (const [back, size] of sizes.entries()) {
    const file = nameOf(name, back);
    const { offset, found } = await findLastLines(directory, file, size, missing);
    missing -= found;
    if (missing > 0 && back < last) continue;
    const length = anchorLength(offset);
    const before = length === 0 ? NOTHING : await directory.read(file, offset - length, length);
    if (before?.length !== length) return undefined;
    const at = new LogFile(directory, name, positionAt(offset, before), back);
    return { file: at, available: upTo(back) - offset };
  }
  return undefined;
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
