/** Reads the output of a task, from one stream or both, until it ends or for as long as the task runs. */

import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError } from './agent-addresses.ts';
import { CHUNK_BYTES } from './log-file.ts';
import type { Positions, StreamName } from './log-position.ts';
import type { StartedLog } from './log-start.ts';

export interface LogPiece {
  readonly stream: StreamName;
  readonly bytes: Buffer;
  /** True if output before these bytes was removed before it was read. */
  readonly lost: boolean;
  /** After these bytes. */
  readonly positions: Positions;
}

export interface LogStreamOptions {
  readonly logs: ReadonlyMap<StreamName, StartedLog>;
  readonly follow: boolean;
  /** Cuts pieces at ends of lines. Otherwise bytes are passed on as they come. */
  readonly byLines: boolean;
  /** True as soon as the task writes no more. */
  readonly hasEnded: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

const MIN_PAUSE_MS = 100;
/** Also the time after which an unfinished line is passed on. */
const MAX_PAUSE_MS = 1000;
/** An agent that restarts answers again within this time. */
const AGENT_BACK_WITHIN_MS = 30_000;
const NEWLINE = 10;

/** @throws AgentError */
export async function* readLogs(options: LogStreamOptions): AsyncGenerator<LogPiece> {
  const { logs, follow, byLines, hasEnded, signal } = options;
  const left = new Map([...logs].map(([stream, { available }]) => [stream, follow ? Infinity : available]));
  let pause = MIN_PAUSE_MS;
  let failingSince: number | undefined;
  while (!signal.aborted) {
    const isLast = !follow || (await hasEnded());
    let passed = false;
    try {
      for (const stream of logs.keys()) {
        const flush = isLast || pause >= MAX_PAUSE_MS;
        for (let isWithinLine = true; isWithinLine; ) {
          const piece = await nextPiece(options, stream, left.get(stream) ?? 0, flush);
          if (!piece) break;
          left.set(stream, (left.get(stream) ?? 0) - piece.bytes.length);
          passed = true;
          yield piece;
          // A long line comes in several pieces, and the other stream's lines not in between.
          isWithinLine = byLines && piece.bytes.at(-1) !== NEWLINE;
        }
      }
      failingSince = undefined;
    } catch (error) {
      failingSince ??= Date.now();
      const isBack = Date.now() - failingSince < AGENT_BACK_WITHIN_MS;
      if (!follow || !(error instanceof AgentError) || !isBack) throw error;
    }
    if (passed) pause = MIN_PAUSE_MS;
    else if (isLast && failingSince === undefined) return;
    else {
      await sleep(pause, undefined, { signal }).catch(() => {});
      pause = Math.min(2 * pause, MAX_PAUSE_MS);
    }
  }
}

/** @param flush also passes on an unfinished line */
async function nextPiece(
  { logs, byLines }: LogStreamOptions,
  stream: StreamName,
  left: number,
  flush: boolean,
): Promise<LogPiece | undefined> {
  const file = logs.get(stream)?.file;
  if (!file || left === 0) return undefined;
  const peeked = (await file.peek()).subarray(0, left);
  const length = byLines ? endOfLines(peeked, flush) : peeked.length;
  if (length === 0) return undefined;
  // Consuming does not change these bytes.
  const bytes = peeked.subarray(0, length);
  const lost = file.takeLoss();
  file.consume(length);
  return { stream, bytes, lost, positions: positionsOf(logs) };
}

export function positionsOf(logs: LogStreamOptions['logs']): Positions {
  return Object.fromEntries([...logs].map(([name, log]) => [name, log.file.position]));
}

/** @returns the number of bytes to pass on: up to the end of the last line, or of the last complete character */
function endOfLines(bytes: Buffer, flush: boolean): number {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (end > 0) return end;
  return flush || bytes.length >= CHUNK_BYTES ? endOfCharacters(bytes) : 0;
}

/** Leaves out the beginning of a character of UTF-8 at the end; anything else that is not UTF-8 stays. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length - 1); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
