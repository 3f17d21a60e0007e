import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanSandbox } from './sandbox-cleaner.ts';

const NOW = Date.now();
let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mesosup-cleaner-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Creates a task's files that were changed some seconds ago. */
function task(name: string, seconds: number): void {
  const directory = path.join(root, 'tasks', name);
  mkdirSync(path.join(directory, 'sandbox'), { recursive: true });
  writeFileSync(path.join(directory, 'stdout'), 'out');
  utimesSync(directory, NOW / 1000 - seconds, NOW / 1000 - seconds);
}

const clean = (delaySeconds: number, headroom: number, ...live: string[]) =>
  cleanSandbox(
    {
      root,
      limits: () => ({ delayMs: delaySeconds * 1000, headroom }),
      isLive: (name) => live.includes(name),
      log: () => {},
    },
    NOW,
  );

test('removes the files of tasks that ended before the delay, and none of a task that lives', async () => {
  await clean(100, 0);
  const { blocks, bfree } = statfsSync(root);
  const age = (bfree / blocks) * 1000;
  task('old', age + 60);
  task('live', age + 60);
  task('new', age - 60);
  await clean(1000, 0, 'live');
  expect(readdirSync(path.join(root, 'tasks')).sort()).toEqual(['live', 'new']);
});

test('removes all ended tasks on a disk without the headroom', async () => {
  task('a', 1);
  await clean(1000, 1);
  expect(readdirSync(path.join(root, 'tasks'))).toEqual([]);
});

test('removes directories whose path is too long for the system, and names of any bytes', async () => {
  task('deep', 10);
  const name = 'd'.repeat(200);
  const nest = `for i in $(seq 30); do mkdir ${name} && cd -P ${name} || exit; done; printf x >"$(printf '\\377')"`;
  execFileSync('sh', ['-c', nest], { cwd: path.join(root, 'tasks/deep/sandbox') });
  await clean(0, 0);
  expect(readdirSync(path.join(root, 'tasks'))).toEqual([]);
});

test('neither enters a mounted file system, nor lets it keep the other directories', async ({ skip }) => {
  task('a', 10);
  task('b', 10);
  const [first = ''] = readdirSync(path.join(root, 'tasks'));
  const mounted = path.join(root, 'tasks', first, 'sandbox');
  const { status } = spawnSync('mount', ['-t', 'tmpfs', 'none', mounted]);
  if (status !== 0) skip('this user may not mount');
  try {
    writeFileSync(path.join(mounted, 'file'), 'x');
    await clean(0, 0);
    expect(readdirSync(path.join(root, 'tasks'))).toEqual([first]);
    expect(readdirSync(mounted)).toEqual(['file']);
  } finally {
    execFileSync('umount', [mounted]);
  }
});

test('removes links, and not the files that they lead to', async () => {
  task('a', 10);
  const outside = path.join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'file'), 'x');
  symlinkSync(outside, path.join(root, 'tasks/a/sandbox/d'));
  symlinkSync(path.join(outside, 'file'), path.join(root, 'tasks/a/sandbox/f'));
  await clean(0, 0);
  expect(existsSync(path.join(root, 'tasks/a'))).toBe(false);
  expect(existsSync(path.join(outside, 'file'))).toBe(true);
});
