/** Files that Mesos fetches for a task. */

import type { FieldError } from './field-errors.ts';

interface Fetched {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
}

/** Marathon's list of the endings that Mesos extracts. */
const ARCHIVE = /\.(tar|tar\.gz|tar\.bz2|tar\.xz|gz|tgz|tbz2|txz|zip)$/;

export function isArchive(uri: string): boolean {
  return ARCHIVE.test(URL.parse(uri)?.pathname ?? uri);
}

/** Finds archives that are not extracted, since they are executable. Source: src/launcher/fetcher.cpp of Mesos 1.11. */
export function* findUnextracted(fetch: readonly Fetched[]): Generator<FieldError> {
  for (const [i, { uri, extract, executable }] of fetch.entries()) {
    if (!executable || !extract || !isArchive(uri)) continue;
    yield { path: ['fetch', i, 'extract'], error: 'has no effect beside executable, as in Marathon' };
  }
}
