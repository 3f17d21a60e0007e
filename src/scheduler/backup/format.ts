/**
 * The file format of backups: lines of JSON. The first line is the head, the following lines are the events of a
 * snapshot, and the last line holds a checksum of all lines before. Text, so that it can be inspected and compressed.
 */

import { createHash } from 'node:crypto';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { isJson, parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import type { StoredEvent } from '../domain/events.ts';
import { readEvents } from '../store/formats.ts';
import { STATE_VERSION } from '../store/store.ts';

const FORMAT = 'mesosup-backup';
const VERSION = 1;
const LINES_AT_ONCE = 500;

/** Numbers of objects in a state. */
export interface Summary {
  /** The framework that owns the tasks; undefined for a scheduler that never subscribed. */
  readonly frameworkId?: string;
  readonly apps: number;
  readonly groups: number;
  readonly tasks: number;
  readonly deployments: number;
}

export interface BackupHead extends Summary {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Format version of the events. */
  readonly stateVersion: number;
  /** The release of mesosup that made the backup; 0.1.0 did not write it. */
  readonly release?: string;
  /** Time of the backup, as ISO 8601. */
  readonly at: string;
  /** The store that was backed up, for display. */
  readonly from: string;
}

export interface Backup {
  readonly head: BackupHead;
  readonly events: readonly StoredEvent[];
}

/** @param about time and store of the backup, and the summary of the events */
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

/** Yields the text of the file in pieces. */
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
  // Parsing can't fail: the checksum shows that a release of this program wrote these lines.
  const stored = lines.map((line): unknown => JSON.parse(line.toString('utf8')));
  const events = readEvents(stored, (why) => new MesosupError(`${name} ${why}`));
  return { head: head as unknown as BackupHead, events };
}

const NEWLINE = 0x0a;

/** Splits bytes into lines; an incomplete last line is left out. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; ; ) {
    const end = bytes.indexOf(NEWLINE, from);
    if (end < 0) return lines;
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
}
