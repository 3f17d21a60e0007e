import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import NodeRemove from './commands/node/remove.ts';

const SPEC = 'hosts:\n  - { name: a, roles: [ master, scheduler, agent ] }\n  - b\n';

/** The runs on hosts: what is asked for, and what each reports. */
const runs = vi.hoisted(() => ({
  seen: [] as { command: string; yes: boolean }[],
  drains: 1,
  during: async () => {},
}));
vi.mock('./change-command.ts', () => ({
  runChange: async (
    _command: unknown,
    _loaded: unknown,
    { yes }: { yes: boolean },
    { intent: { command }, afterwards }: { intent: { command: string }; afterwards: () => Promise<void> },
  ) => {
    runs.seen.push({ command, yes: Boolean(yes) });
    await runs.during();
    await afterwards();
    return { changes: command === 'drain' ? runs.drains : 1 };
  },
}));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-remove-'));
  Object.assign(runs, { seen: [], drains: 1, during: async () => {} });
  await writeFile(path.join(directory, 'cluster.yaml'), SPEC);
});
afterEach(() => rm(directory, { recursive: true }));

const remove = () =>
  NodeRemove.run(
    ['b', '--json', '--file', path.join(directory, 'cluster.yaml'), '--state', path.join(directory, 'state')],
    { root: process.cwd() },
  );

test('asks before the uninstall if there was nothing to drain', async () => {
  await remove();
  expect(runs.seen).toEqual([
    { command: 'drain', yes: false },
    { command: 'uninstall', yes: true },
  ]);
  Object.assign(runs, { seen: [], drains: 0 });
  await writeFile(path.join(directory, 'cluster.yaml'), SPEC);
  await remove();
  expect(runs.seen.at(-1)).toEqual({ command: 'uninstall', yes: false });
});

test('keeps what somebody writes into cluster.yaml during the drain', async () => {
  runs.during = () => writeFile(path.join(directory, 'cluster.yaml'), `${SPEC}  - c\n`);
  await remove();
  expect(await readFile(path.join(directory, 'cluster.yaml'), 'utf8')).toBe(
    SPEC.replace('  - b\n', '  - c\n'),
  );
});
