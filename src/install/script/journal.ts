/** The journal and the record of a run, as they are written on the host. */

import { z } from 'zod';
import type { RunFacts } from '../host-facts.ts';
import { type JournalEntry, mergeEntries, parseEntry } from '../resources/registry.ts';

/** The entries, oldest first, one for each thing. A line torn by a power cut is passed over. */
export function parseJournal(text: string): JournalEntry[] {
  const seen = new Map<string, JournalEntry>();
  for (const line of text.split('\n')) {
    const entry = parseEntry(jsonOf(line));
    if (entry === undefined) continue;
    const key = 'path' in entry ? `path ${entry.path}` : `${entry.kind} ${entry.name}`;
    const first = seen.get(key);
    seen.set(key, first === undefined ? entry : mergeEntries(first, entry));
  }
  return [...seen.values()];
}

const runRecord = z.object({ id: z.string(), command: z.string(), who: z.string(), since: z.number() });

/** The record of a run, and below it `alive` or `dead`. */
export function parseRun(text: string): RunFacts | null {
  const [record = '', state] = text.split('\n');
  const parsed = runRecord.safeParse(jsonOf(record));
  return parsed.success ? { ...parsed.data, alive: state === 'alive' } : null;
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
