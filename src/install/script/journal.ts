/** The journal and the record of a run, as they are written on the host. */

import { z } from 'zod';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { RELEASE } from '../../release.ts';
import type { JournalEntry, RunFacts } from '../facts.ts';

const fileFacts = z
  .object({
    type: z.enum(['file', 'directory', 'link', 'other']),
    mode: z.string(),
    owner: z.string(),
    group: z.string(),
    sha256: z.string().optional(),
    target: z.string().optional(),
  })
  .transform(({ sha256, target, ...rest }) => ({
    ...rest,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(target === undefined ? {} : { target }),
  }));

const absent = z.literal('absent');

const entry = z.discriminatedUnion('kind', [
  z.object({
    kind: z.enum(['file', 'directory', 'link']),
    path: z.string(),
    before: z.union([absent, z.object({ facts: fileFacts, backup: z.string() })]),
  }),
  z.object({
    kind: z.literal('package'),
    name: z.string(),
    before: z.union([absent, z.object({ version: z.string() })]),
    removed: z.literal(true).exactOptional(),
  }),
  z.object({
    kind: z.literal('service'),
    name: z.string(),
    before: z.object({
      enabled: z.enum(['enabled', 'disabled', 'masked', 'static', 'generated', 'unknown']),
      running: z.boolean(),
    }),
  }),
  z.object({
    kind: z.literal('user'),
    name: z.string(),
    before: z.union([absent, z.object({ groups: z.array(z.string()) })]),
  }),
]);

const KINDS: ReadonlySet<unknown> = new Set<JournalEntry['kind']>([
  'file',
  'directory',
  'link',
  'package',
  'service',
  'user',
]);

/** What a later release changed on the host could not be put back. @throws MesosupError */
function refuseLater(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('kind' in value) || KINDS.has(value.kind)) return;
  throw new MesosupError(
    `a later release of mesosup has changed a thing of the kind "${value.kind}" there, which mesosup ${RELEASE} does not know`,
    {
      remedy:
        'Run the release that changed it (ls -l /opt/mesosup/current on the host names it), or a later one.',
    },
  );
}

/**
 * The entries, oldest first; of two for one thing the first counts, and whether a package was removed since. A line
 * torn by a power cut is passed over.
 * @throws MesosupError for one of a later release
 */
export function parseJournal(text: string): JournalEntry[] {
  const seen = new Map<string, JournalEntry>();
  for (const line of text.split('\n')) {
    const value = jsonOf(line);
    const parsed = entry.safeParse(value);
    if (!parsed.success) {
      refuseLater(value);
      continue;
    }
    const { data } = parsed;
    const key = 'path' in data ? `path ${data.path}` : `${data.kind} ${data.name}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, data);
    else if (first.kind === 'package' && data.kind === 'package' && data.removed)
      seen.set(key, { ...first, removed: true });
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
