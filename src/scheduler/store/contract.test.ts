import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { describeStore, removed } from '../../../test/scheduler/store-contract.ts';
import { runs, timeLimit } from '../../../test/support/runs.ts';
import { RELEASE } from '../../release.ts';
import type { StoredEvent } from '../domain/events.ts';
import { decodeRecord, encodeFrame, findFrames } from './frames.ts';
import { openJournal, readJournalEvents } from './journal.ts';
import { createMemoryStore } from './memory.ts';
import { loadAll, type Store, StoreError } from './store.ts';

/** Every write waits for the disk, which may be busy. */
vi.setConfig({ testTimeout: timeLimit(60_000) });

const directories: string[] = [];

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  directories.push(directory);
  return directory;
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const warnings: string[] = [];

function journal(directory: string, snapshotBytes?: number): Promise<Store> {
  warnings.length = 0;
  const warn = (message: string) => warnings.push(message);
  return openJournal({ directory, warn, ...(snapshotBytes !== undefined && { snapshotBytes }) });
}

describeStore('journal', () => {
  const directory = temporary();
  return {
    open: () => journal(directory, 300),
    sharing: 'refused',
    readBeside: () => readJournalEvents(directory),
  };
});

describeStore('memory', () => {
  const disk: StoredEvent[] = [];
  return { open: async () => createMemoryStore(disk, 3) };
});

describe('the journal', () => {
  async function written(...batches: StoredEvent[][]): Promise<{ directory: string; path: string }> {
    const directory = temporary();
    const store = await journal(directory);
    for (const batch of batches) await store.append(batch);
    await store.close();
    return { directory, path: join(directory, 'journal.00000001') };
  }

  async function loaded(directory: string): Promise<StoredEvent[]> {
    const store = await journal(directory);
    try {
      return await loadAll(store);
    } finally {
      await store.close();
    }
  }

  it('truncated at any byte has the complete batches, and can be appended to', async () => {
    const batches = [[removed(1)], [removed(2), removed(3)], [removed(4)]];
    const { directory, path } = await written(...batches);
    const whole = readFileSync(path);
    const header = whole.indexOf(0x0a) + 1;
    const ends = [header];
    for (const batch of batches) ends.push((ends.at(-1) ?? 0) + encodeFrame(batch).length);
    for (let cut = header; cut <= whole.length; cut += 1) {
      writeFileSync(path, whole.subarray(0, cut));
      const complete = ends.filter((end) => end <= cut).length - 1;
      const store = await journal(directory);
      expect(await loadAll(store)).toEqual(batches.slice(0, complete).flat());
      expect(warnings).toHaveLength(ends.includes(cut) ? 0 : 1);
      await store.append([removed(9)]);
      await store.close();
      expect(await loaded(directory)).toEqual([...batches.slice(0, complete).flat(), removed(9)]);
    }
  });

  it('reports the position of damage in the middle', async () => {
    const { directory, path } = await written([removed(1)], [removed(2)], [removed(3)]);
    const whole = readFileSync(path);
    const second = whole.indexOf(0x0a) + 1 + encodeFrame([removed(1)]).length;
    for (const at of [second, second + 9, second + 20, second + encodeFrame([removed(2)]).length - 1]) {
      const broken = Buffer.from(whole);
      broken[at] = (broken[at] ?? 0) ^ 1;
      writeFileSync(path, broken);
      await expect(journal(directory)).rejects.toThrow(
        `${path} is damaged at byte ${second}, but intact records follow`,
      );
      expect(readFileSync(path)).toEqual(broken);
    }
  });

  it('treats garbage at the end as an incomplete record', async () => {
    const { directory, path } = await written([removed(1)]);
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(5000), Buffer.from('\nx\n')]));
    expect(await loaded(directory)).toEqual([removed(1)]);
  });

  it('refuses a file of another version', async () => {
    const { directory, path } = await written();
    writeFileSync(path, encodeFrame({ format: 'mesosup-journal', version: 3 }));
    await expect(journal(directory)).rejects.toThrow('is not a journal that this version can read');
    const later = { format: 'mesosup-journal', version: 3, release: '9.8.7' };
    writeFileSync(path, encodeFrame(later));
    await expect(journal(directory)).rejects.toThrow(
      /it has version 3, mesosup [\d.]+ reads version 2\): run mesosup 9\.8\.7, which wrote it/,
    );
    writeFileSync(path, Buffer.concat([{ ...later, version: 2 }].map(encodeFrame)));
    await expect(journal(directory)).rejects.toThrow('is not a journal that this version can read');
    writeFileSync(path, '');
    await expect(journal(directory)).rejects.toThrow(StoreError);
  });

  it('refuses an event of a later release, and leaves the file as it is', async () => {
    const { directory, path } = await written([removed(1)]);
    const later = [{ type: 'release_changed', release: '9.8.7' }, { type: 'later' }];
    const whole = Buffer.concat([readFileSync(path), encodeFrame(later)]);
    writeFileSync(path, whole);
    await expect(loaded(directory)).rejects.toThrow(
      `${path} contains an event of unknown type "later", which mesosup ${RELEASE} can't read: run mesosup 9.8.7, which wrote it`,
    );
    await expect(readJournalEvents(directory)).rejects.toThrow(StoreError);
    expect(readFileSync(path)).toEqual(whole);
  });

  it('makes its files private', async () => {
    const { directory, path } = await written([removed(1)]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const made = join(directory, 'sub');
    await (await journal(made)).close();
    expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  it('grows to twice the size of a snapshot before the next, and keeps one file', async () => {
    const directory = temporary();
    const store = await journal(directory, 10);
    const many = Array.from({ length: 1200 }, (_, i) => removed(i));
    await store.append(many);
    await store.snapshot(many);
    await store.append([removed(1)]);
    expect(store.snapshotDue()).toBe(false);
    await store.append(many);
    await store.append(many);
    expect(store.snapshotDue()).toBe(true);
    await store.close();
    expect(readdirSync(directory)).toEqual(['journal.00000002']);
    expect(await loaded(directory)).toHaveLength(3601);
  });

  it('continues with the newest complete file after an interrupted snapshot', async () => {
    const { directory, path } = await written([removed(1)]);
    writeFileSync(join(directory, 'journal.00000002.new'), 'half');
    expect(await loaded(directory)).toEqual([removed(1)]);
    const second = await written([removed(2)]);
    writeFileSync(join(directory, 'journal.00000002'), readFileSync(second.path));
    expect(await loaded(directory)).toEqual([removed(2)]);
    expect(existsSync(path)).toBe(false);
  });

  it('names the process that uses it', async () => {
    const directory = temporary();
    const store = await journal(directory);
    await expect(journal(directory)).rejects.toThrow(`${directory} is in use by process ${process.pid}`);
    await store.close();
  });

  it.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, started: '1' })],
    ['a process whose id another has now', JSON.stringify({ pid: process.pid, started: '1' })],
    ['an unidentifiable process', 'x'],
    ['an empty word', '7'],
  ])('is taken over from %s', async (_name, lock) => {
    const directory = temporary();
    writeFileSync(join(directory, 'lock'), lock);
    const store = await journal(directory);
    expect(JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await store.close();
    expect(readdirSync(directory)).toEqual(['journal.00000001']);
  });

  it('names a directory that it cannot use', async () => {
    const directory = temporary();
    const file = join(directory, 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    await expect(journal(join(file, 'x'))).rejects.toThrow(/can't hold the scheduler's state/);
  });
});

it('reads back frames with any content', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (records) => {
      const { records: read, end, corruptAt } = findFrames(Buffer.concat(records.map(encodeFrame)));
      expect(JSON.stringify(read.map(decodeRecord))).toBe(JSON.stringify(records));
      expect([end > 0 || records.length === 0, corruptAt]).toEqual([true, undefined]);
    }),
    { numRuns: runs(100) },
  );
});
