/**
 * The record of a run on this machine: what `install`, `upgrade` and other commands did and said on each host. A file
 * of JSON objects, one a line: first the head, then lines as they arrived, at last the end, which an unfinished run or
 * one that was killed lacks.
 */

import { z } from 'zod';
import { parseJson } from '../../json.ts';
import type { StoredFile } from '../../stored/file.ts';
import { readerOf } from '../../stored/reader.ts';
import { literals, record } from '../../stored/record.ts';

export interface RunHead {
  /** The name of the file without its extension: `20261130T110430-install`. Later runs have greater ids. */
  readonly id: string;
  /** The command without the program: `install`, `node add`. */
  readonly command: string;
  readonly cluster: string;
  /** The process: `ann@box (4711)`. */
  readonly who: string;
  /** In ms since 1970, by this machine's clock. */
  readonly began: number;
}

/** The kinds of lines. `output` is a line of a program on the host; `note` concerns no step. */
export type RunLineKind = 'step' | 'wait' | 'output' | 'note' | 'failed' | 'done';

export interface RunLine {
  /** When it arrived, in ms since 1970, by this machine's clock. */
  readonly at: number;
  /** Empty for a line about the whole cluster. */
  readonly host: string;
  readonly kind: RunLineKind;
  readonly text: string;
  /** Of a failure. */
  readonly remedy?: string | undefined;
}

export type RunEnding = 'done' | 'failed' | 'interrupted';

export interface RunEnd {
  readonly at: number;
  readonly end: RunEnding;
}

export interface RunRecord {
  readonly head: RunHead;
  readonly lines: readonly RunLine[];
  /** Undefined while the run is in progress, and if its program was killed. */
  readonly end?: RunEnd;
}

const text = z.string();
const number = z.number();

/** The first line, with `format` and `release`. */
export const runHeadFile: StoredFile<RunHead> = {
  format: 1,
  read: readerOf(record<RunHead>({ id: text, command: text, cluster: text, who: text, began: number })),
};

const line = record<RunLine>({
  at: number,
  host: text,
  kind: literals<RunLineKind>({
    step: true,
    wait: true,
    output: true,
    note: true,
    failed: true,
    done: true,
  }),
  text,
  remedy: text.optional(),
});

const end = record<RunEnd>({
  at: number,
  end: literals<RunEnding>({ done: true, failed: true, interrupted: true }),
});

/**
 * Reads all lines but the first. Leaves out what it does not understand: a line that was written in part, and kinds of
 * later releases.
 */
export function parseRunLines(rest: readonly string[]): Pick<RunRecord, 'lines' | 'end'> {
  const values = rest.map(parseJson);
  const lines = values.flatMap((value) => line.safeParse(value).data ?? []);
  const [last] = values.flatMap((value) => end.safeParse(value).data ?? []);
  return { lines, ...(last && { end: last }) };
}

/** Hosts with a failure, each once. */
export function failedHosts({ lines }: RunRecord): string[] {
  return [...new Set(lines.flatMap(({ kind, host }) => (kind === 'failed' && host !== '' ? [host] : [])))];
}
