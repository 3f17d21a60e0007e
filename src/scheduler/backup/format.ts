/**
 * The file of a backup: lines of JSON. The first says what it is, each other is an event of the shortest list that
 * leads to the state, and the last holds a checksum of all before. Text, so that people can look into it and compress it.
 */

import { createHash } from 'node:crypto';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { RELEASE } from '../../release.ts';
import type { StoredEvent } from '../domain/events.ts';
import { isJson, parseJson } from '../domain/json.ts';
import { readEvents } from '../store/formats.ts';
import { STATE_VERSION } from '../store/store.ts';

const FORMAT = 'mesosup-backup';
const VERSION = 1;
const LINES_AT_ONCE = 500;

/** How much there is. */
export interface Summary {
  /** By which the master knows the tasks as ours; undefined for a scheduler that never subscribed. */
  readonly frameworkId?: string;
  readonly apps: number;
  readonly groups: number;
  readonly tasks: number;
  readonly deployments: number;
}

export interface BackupHead extends Summary {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** The version of the events. */
  readonly stateVersion: number;
  /** The release of mesosup that made it; 0.1.0 did not say. */
  readonly release?: string;
  /** When it was taken, as ISO 8601. */
  readonly at: string;
  /** The store it was taken from, for people. */
  readonly from: string;
}

export interface Backup {
  readonly head: BackupHead;
  readonly events: readonly StoredEvent[];
}

/** @param about its `at` and `from`, and what the events come to */
export function createBackup(
  about: Pick<BackupHead, 'at' | 'from'> & Summary,
  events: readonly StoredEvent[],
): Backup {
  const head = {
    format: FORMAT,
    version: VERSION,
    stateVersion: STATE_VERSION,
    release: RELEASE,
    ...about,
  } as const;
  return { head, events };
}

/** The file's text, piece by piece. */
export function* encodeBackup({ head, events }: Backup): Generator<string> {
  const hash = createHash('sha256');
  const piece = (lines: readonly unknown[]): string => {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    hash.update(text);
    return text;
  };
  yield piece([head]);
  for (let from = 0; from < events.length; from += LINES_AT_ONCE) {
    yield piece(events.slice(from, from + LINES_AT_ONCE));
  }
  yield `${JSON.stringify({ sha256: hash.digest('hex') })}\n`;
}

/**
 * @param name of the file, for messages
 * @throws MesosupError
 */
export function decodeBackup(bytes: Buffer, name: string): Backup {
  const [first, ...lines] = linesOf(bytes);
  const head = parseJson(String(first ?? ''));
  if (!isJson(head) || head.format !== FORMAT) {
    throw new MesosupError(`${name} is not a scheduler backup: its first line is not a backup header`);
  }
  if (head.version !== VERSION || head.stateVersion !== STATE_VERSION) {
    const { release } = head;
    const isOther = typeof release === 'string' && release !== RELEASE;
    const maker = isOther ? `mesosup ${release}, which made it` : 'the release of mesosup that made it';
    throw new MesosupError(
      `${name} has backup version ${head.version} and state version ${head.stateVersion}; this mesosup reads versions ${VERSION} and ${STATE_VERSION}: restore it with ${maker}`,
    );
  }
  const last = lines.pop();
  const end = parseJson(String(last ?? ''));
  if (!last || !isJson(end) || typeof end.sha256 !== 'string') {
    throw new MesosupError(`${name} is truncated: its last line, the checksum, is missing`);
  }
  const covered = bytes.subarray(0, last.byteOffset - bytes.byteOffset);
  if (createHash('sha256').update(covered).digest('hex') !== end.sha256) {
    throw new MesosupError(`${name} is damaged: its content does not match its checksum`);
  }
  // What the checksum covers was written by some release of this program.
  const stored = lines.map((line): unknown => JSON.parse(line.toString('utf8')));
  const events = readEvents(stored, (why) => new MesosupError(`${name} ${why}`));
  return { head: head as unknown as BackupHead, events };
}

const NEWLINE = 0x0a;

/** Without the last, where it doesn't end. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; ; ) {
    const end = bytes.indexOf(NEWLINE, from);
    if (end < 0) return lines;
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
}
