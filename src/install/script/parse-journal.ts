/** Parses the journal and the record of a run, in the form in which the host stores them. */

import { z } from 'zod';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { isJson, parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import type { RunFacts } from '../host-facts.ts';
import { isJournaledKind, type JournalEntry, mergeEntries, parseEntry } from '../resources/registry.ts';

/** This release could not restore a resource that a later release has changed. @throws MesosupError */
function refuseLater(value: unknown): void {
  if (!isJson(value) || !('kind' in value) || isJournaledKind(value.kind)) return;
  throw new MesosupError(
    `a later release of mesosup has changed a resource of the kind "${value.kind}", which mesosup ${RELEASE} does not know`,
    {
      remedy:
        'Run the release that changed it, or a later one. To see the release, run on the host: ls -l /opt/mesosup/current',
    },
  );
}

/**
 * Returns the entries, oldest first, one for each resource. Skips a line cut by a power failure.
 * @throws MesosupError for an entry of a later release
 */
export function parseJournal(text: string): JournalEntry[] {
  const seen = new Map<string, JournalEntry>();
  for (const line of text.split('\n')) {
    const value = parseJson(line);
    const entry = parseEntry(value);
    if (entry === undefined) {
      refuseLater(value);
      continue;
    }
    const key = 'path' in entry ? `path ${entry.path}` : `${entry.kind} ${entry.name}`;
    const first = seen.get(key);
    seen.set(key, first === undefined ? entry : mergeEntries(first, entry));
  }
  return [...seen.values()];
}

const runRecord = z.object({ id: z.string(), command: z.string(), who: z.string(), since: z.number() });

/** Parses the record of a run, followed by a line `alive` or `dead`. */
export function parseRun(text: string): RunFacts | null {
  const [record = '', state] = text.split('\n');
  const parsed = runRecord.safeParse(parseJson(record));
  return parsed.success ? { ...parsed.data, alive: state === 'alive' } : null;
}
