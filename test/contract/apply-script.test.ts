/** Runs the apply script on this machine, with each shell that may be /bin/sh, and with separate directories. */

import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PlanAction } from '../../src/install/item.ts';
import type { PlanItem } from '../../src/install/plan.ts';
import type { FileResource } from '../../src/install/resources/file.ts';
import { type JournalEntry, type Resource, resourceId } from '../../src/install/resources/registry.ts';
import type { RunEvent } from '../../src/install/run-events.ts';
import { type ApplyOptions, applyScript } from '../../src/install/script/apply-script.ts';
import { parseRunEvent } from '../../src/install/script/parse-events.ts';
import { parseJournal } from '../../src/install/script/parse-journal.ts';
import { attachRunScript, startRunScript } from '../../src/install/script/run-scripts.ts';
import { scripts } from '../install/hosts.ts';
import { SHELLS } from '../support/shells.ts';

/** `$1` becomes /bin/sh, `$2` contains the directories, and `$3` is the script. /mnt is a small disk. */
const ON_HOST = `mount --bind "$(command -v "$1")" "$(realpath /bin/sh)" || exit
for directory in var/lib run opt srv; do mount --bind "$2/$directory" "/$directory" || exit; done
mount -t tmpfs -o size=64k tmpfs /mnt && cd / && exec /bin/sh -c "$3"`;

describe.each(SHELLS)('a run by %s', (_name, [shell]) => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'mesosup-run-'));
    for (const directory of ['var/lib', 'run', 'opt', 'srv/dir'])
      await mkdir(path.join(root, directory), { recursive: true });
    await writeFile(path.join(root, 'srv/old'), 'before\n');
    await chmod(path.join(root, 'srv/old'), 0o640);
    await writeFile(path.join(root, 'srv/dir/stray'), 'stray\n');
  });
  afterEach(() => rm(root, { recursive: true }));

  async function onHost(script: string, input = ''): Promise<string[]> {
    const words = ['--mount', 'sh', '-c', ON_HOST, 'sh', shell, root, script];
    const { stdout } = await execa('unshare', words, { input, env: { HOME: '/root' } });
    return stdout.split('\n');
  }

  /** Applies the items. @returns the events */
  async function apply(run: string, items: readonly PlanItem[], options: Partial<ApplyOptions> = {}) {
    const all = { run, command: 'install', cluster: "it's", who: 'me', ...options } as const;
    const script = applyScript(scripts, { host: 'h', items, basis: '' }, all);
    return eventsOf(await onHost(startRunScript(scripts, run, Buffer.byteLength(script)), script));
  }

  test('applies the plan, and an uninstall restores the previous state', async () => {
    const before = await listing(path.join(root, 'srv'));
    const awkward = `/srv/it's $here \`x\``;
    const events = await apply('r-1', [
      wants('change', file('/srv/old', 'after\n', { mode: '0600' })),
      wants('create', file('/srv/a/b/c', 'deep é\n')),
      wants('create', file(awkward, '')),
      wants('change', { kind: 'directory', path: '/srv/dir', ...RIGHTS, mode: '0700', only: ['kept'] }),
      wants('create', { kind: 'link', path: '/srv/link', target: 'a b' }),
    ]);
    expect(events.at(-1)).toMatchObject({ event: 'end', ok: true });
    expect(events.filter(({ event }) => event === 'done')).toHaveLength(5);
    expect(await listing(path.join(root, 'srv'))).toEqual([
      'a 755',
      'a/b 755',
      'a/b/c 644 deep é\n',
      'dir 700',
      `${awkward.slice('/srv/'.length)} 644 `,
      'link -> a b',
      'old 600 after\n',
    ]);
    expect(await readFile(path.join(root, 'var/lib/mesosup/cluster'), 'utf8')).toBe("it's\n");
    const journal = parseJournal(await readFile(path.join(root, 'var/lib/mesosup/journal.ndjson'), 'utf8'));
    const back = journal.toReversed().map(restoring);
    const undone = await apply('r-2', back, { command: 'uninstall', journal });
    expect(undone.at(-1)).toMatchObject({ event: 'end', ok: true });
    expect(await listing(path.join(root, 'srv'))).toEqual(before);
    expect(await readdir(path.join(root, 'var/lib'))).toEqual([]);
  });

  test('can be followed again from its beginning, and does not run twice', async () => {
    const items = [wants('create', file('/srv/new', '1\n'))];
    const events = await apply('r-1', items);
    await rm(path.join(root, 'srv/new'));
    expect(await apply('r-1', items)).toEqual(events);
    expect(eventsOf(await onHost(attachRunScript(scripts, 'r-1')))).toEqual(events);
    expect(await readdir(path.join(root, 'srv'))).not.toContain('new');
    expect(await onHost(attachRunScript(scripts, 'r-2'))).toEqual(['{"unknown":true,"empty":false}']);
  });

  test('does not start if the script is received incompletely', async () => {
    const script = startRunScript(scripts, 'r-1', 100);
    await expect(onHost(script, 'rm -rf /srv/dir\n')).rejects.toMatchObject({ exitCode: 74 });
    expect(await readdir(path.join(root, 'srv/dir'))).toEqual(['stray']);
  });

  test.each<[string, Resource, object]>([
    ['a full disk', file('/mnt/large', 'x'.repeat(200_000)), { failure: 'disk' }],
    [
      'a directory in the place of a file',
      file('/srv/dir', ''),
      { failure: 'command', message: '/srv/dir could not be written: it is a directory' },
    ],
    [
      'a host without a supported init system',
      { kind: 'service', name: 's', enabled: true, running: true, inputs: 'x', restartOn: [] },
      { failure: 'service', message: 'the host runs neither systemd nor Upstart' },
    ],
  ])('stops at %s, and does nothing after it', async (_what, resource, failed) => {
    const later = wants('create', file('/srv/later', ''));
    const action = resource.kind === 'service' ? 'start' : 'create';
    const events = await apply('r-1', [wants(action, resource), later]);
    expect(events.slice(-2)).toMatchObject([
      { event: 'failed', item: 0, ...failed },
      { event: 'end', ok: false },
    ]);
    expect(await readdir(path.join(root, 'srv'))).toEqual(['dir', 'old']);
  });
});

const RIGHTS = { owner: 'root', group: 'root', mode: '0644' };

function file(at: string, content: string, more: Partial<FileResource> = {}): FileResource {
  return { kind: 'file', path: at, content, ...RIGHTS, ...more };
}

function wants(action: PlanAction, resource: Resource): PlanItem {
  return { id: resourceId(resource), action, title: '', diff: [], resource };
}

function restoring(entry: JournalEntry): PlanItem {
  const name = 'path' in entry ? entry.path : entry.name;
  return { id: `${entry.kind}:${name}`, action: 'restore', title: '', diff: [] };
}

/** @throws Error for a line that is not an event or the last line of a followed run */
function eventsOf(lines: readonly string[]): RunEvent[] {
  expect(lines.at(-1)).toBe('{"followed":true}');
  return lines.slice(0, -1).map((line) => {
    const event = parseRunEvent(line);
    if (!event) throw new Error(`not an event: ${line}`);
    return event;
  });
}

/** Lists the files below a directory, one a line, with mode and content or target. */
async function listing(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true });
  const lines = entries.map(async (entry) => {
    const at = path.join(directory, entry);
    const found = await lstat(at);
    if (found.isSymbolicLink()) return `${entry} -> ${await readlink(at)}`;
    const mode = (found.mode & 0o7777).toString(8);
    return found.isFile() ? `${entry} ${mode} ${await readFile(at, 'utf8')}` : `${entry} ${mode}`;
  });
  return (await Promise.all(lines)).sort();
}
