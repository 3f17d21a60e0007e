/**
 * Reads files that other releases may have written: JSON with the content, the `format` and, after 0.1.0, the `release`
 * that wrote it. The rules are the same as for the scheduler's events (src/scheduler/domain/stored-events.ts): a new
 * field is optional or has an empty default; a changed meaning increments the format, and files of the old format are
 * converted when they are read.
 */

import { RELEASE } from '../release.ts';
import { MismatchError } from './mismatch.ts';

export interface StoredFile<T> {
  readonly format: number;
  /** @throws MismatchError */
  readonly read: (content: Readonly<Record<string, unknown>>) => T;
}

/** @param why continues a sentence that begins with the file's name; without a remedy the file is damaged */
type Refuse = (why: string, remedy?: string) => Error;

/**
 * @returns undefined for a value that is not such a file
 * @throws the error of `refuse` for a damaged file or a file of a later release
 */
export function readStored<T>(
  value: unknown,
  { format, read }: StoredFile<T>,
  refuse: Refuse,
): T | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { format: found, release, ...content } = value as Record<string, unknown>;
  if (typeof found !== 'number') return undefined;
  const writer = typeof release === 'string' && release !== RELEASE ? release : undefined;
  if (found > format) {
    throw refuse(
      `has format ${found}, and mesosup ${RELEASE} reads format ${format}: a later release wrote it`,
      remedy(writer),
    );
  }
  try {
    return read(content);
  } catch (error) {
    if (!(error instanceof MismatchError)) throw error;
    const why = `its field "${error.path.join('.')}" ${error.message}`;
    if (writer === undefined) throw refuse(`is damaged: ${why}`);
    throw refuse(
      `was written by mesosup ${writer}, and mesosup ${RELEASE} can't read it: ${why}`,
      remedy(writer),
    );
  }
}

function remedy(writer: string | undefined): string {
  return writer === undefined
    ? 'Run the release of mesosup that wrote it, or a later one.'
    : `Run mesosup ${writer}, which wrote it, or a later release.`;
}
