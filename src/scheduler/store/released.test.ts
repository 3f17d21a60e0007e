/** Files of earlier releases stay readable: see test/fixtures/state-0.1.0/make.mjs. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { settings } from '../../../test/scheduler/fixtures.ts';
import { isEmpty, isJson } from '../../json.ts';
import { decodeBackup } from '../backup/format.ts';
import type { StoredEvent } from '../domain/events.ts';
import { evolve } from '../domain/evolve.ts';
import { snapshotOf } from '../domain/snapshot.ts';
import { createState, type State } from '../domain/state.ts';
import { decodeEvents, joinBatch, listContents } from './batches.ts';
import { readEvents } from './formats.ts';
import { decodeRecord, findFrames } from './frames.ts';
import { readJournalEvents } from './journal.ts';

const FIXTURE = path.resolve(import.meta.dirname, '../../../test/fixtures/state-0.1.0');
const JOURNAL = path.join(FIXTURE, 'journal');
const ZNODES = path.join(FIXTURE, 'zookeeper');
const BACKUP = path.join(FIXTURE, 'backup');

/** All event types of 0.1.0. */
const TYPES = [
  'app_changed',
  'app_removed',
  'app_restored',
  'counters_restored',
  'deployment_ended',
  'deployment_restored',
  'deployment_started',
  'deployment_stepped',
  'framework_forgotten',
  'framework_registered',
  'group_changed',
  'group_removed',
  'task_given_up',
  'task_killed',
  'task_launched',
  'task_restored',
  'task_updated',
];

async function znodes(): Promise<unknown[]> {
  const data = (name: string) => readFileSync(path.join(ZNODES, name));
  const { batches } = listContents(readdirSync(ZNODES));
  const read = batches.map((number, i) =>
    joinBatch(number, data(`e${String(i).padStart(10, '0')}`), async (name) => data(name)),
  );
  return (await Promise.all(read)).flatMap(decodeEvents);
}

/** The events as written, before any conversion. */
async function readRaw(): Promise<{ type: string }[]> {
  const journal = readdirSync(JOURNAL).map((name) => findFrames(readFileSync(path.join(JOURNAL, name))));
  const frames = journal.flatMap(({ records }) => records.slice(1).flatMap(decodeRecord));
  const lines = readFileSync(BACKUP, 'utf8').split('\n').slice(1, -2);
  return [...frames, ...(await znodes()), ...lines.map((line) => JSON.parse(line))] as { type: string }[];
}

/** Removes added empty fields, which 0.1.0 ignores. */
function asItWas(value: unknown, was: unknown): unknown {
  if (Array.isArray(value))
    return value.map((part, i) => asItWas(part, Array.isArray(was) ? was[i] : undefined));
  if (!isJson(value)) return value;
  const before = isJson(was) ? was : {};
  const fields = Object.entries(value).filter(([name, part]) => name in before || !isEmpty(part));
  return Object.fromEntries(fields.map(([name, part]) => [name, asItWas(part, before[name])]));
}

function refuse(why: string): Error {
  return new Error(why);
}

function stateOf(events: readonly StoredEvent[]): State {
  const state = createState(settings());
  for (const event of events) evolve(state, event);
  return state;
}

describe('the state of release 0.1.0', () => {
  it('is the same from its journal, its znodes and its backup', async () => {
    const backup = decodeBackup(readFileSync(BACKUP), 'backup');
    const [first, ...others] = [
      await readJournalEvents(JOURNAL),
      readEvents(await znodes(), refuse),
      backup.events,
    ].map((events) => [...snapshotOf(stateOf(events))]);
    expect(first).toHaveLength(28);
    for (const other of others) expect(other).toEqual(first);
    expect(backup.head).toMatchObject({ apps: 8, groups: 1, tasks: 14, deployments: 3 });
  });

  it('has the original apps, tasks, groups and deployments', async () => {
    const { apps, tasks, groups, deployments, frameworkId } = stateOf(await readJournalEvents(JOURNAL));
    expect(frameworkId).toBe('framework');
    expect([...groups.keys()]).toEqual(['/shop']);
    expect([...apps.keys()].sort()).toEqual([
      '/chain/first',
      '/chain/second',
      '/everywhere',
      '/huge',
      '/multidis',
      '/once',
      '/shop/db',
      '/shop/web',
    ]);
    expect(apps.get('/multidis')?.app).toMatchObject({ api: 'v1', instances: 1, cmd: 'johncosta/redis' });
    expect(apps.get('/shop/web')?.app).toMatchObject({
      env: { B: '2' },
      maxFailures: 5,
      requirePorts: false,
    });
    expect(apps.get('/shop/web')?.versions).toHaveLength(2);
    expect(apps.get('/shop/db')?.lastFailure).toMatchObject({ message: 'exit code 1' });
    expect(apps.get('/once')).toMatchObject({ succeeded: 1 });
    expect([...tasks.values()].filter(({ inactive }) => inactive)).toHaveLength(4);
    expect([...deployments.values()].flatMap(({ deployment }) => deployment.appIds)).toContain('/huge');
  });

  it('is written unchanged, so that 0.1.0 can read it again', async () => {
    const written = await readRaw();
    expect([...new Set(written.map(({ type }) => type))].sort()).toEqual(TYPES);
    expect(asItWas(readEvents(written, refuse), written)).toEqual(written);
    const snapshot = [...snapshotOf(stateOf(await readJournalEvents(JOURNAL)))];
    const { events } = decodeBackup(readFileSync(BACKUP), 'backup');
    expect(asItWas(snapshot, events)).toEqual(events);
  });
});

describe('the state of a later release', () => {
  const later = { type: 'volume_made', at: 1 };

  it('is refused with the release that wrote it', () => {
    const written = [
      { type: 'release_changed', release: '0.1.0' },
      { type: 'app_removed', appId: '/x', at: 1 },
      { type: 'release_changed', release: '0.7.0' },
      later,
    ];
    expect(() => readEvents(written, refuse)).toThrow(
      /^contains an event of unknown type "volume_made", which mesosup [\d.]+ can't read: run mesosup 0\.7\.0, which wrote it$/,
    );
  });

  it('is refused even if it does not name its writer', () => {
    expect(() => readEvents([later], refuse)).toThrow(/: run the release of mesosup that wrote it$/);
  });
});
