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
import { collectGarbage } from './gc.ts';
import type { Agent } from './model.ts';

const NOW = Date.now();
let workDir: string;
beforeEach(() => {
  workDir = mkdtempSync(path.join(tmpdir(), 'mesosup-gc-'));
});
afterEach(() => rmSync(workDir, { recursive: true, force: true }));

function sandbox(executor: string, run: string, secondsAgo: number): string {
  const runs = path.join(workDir, 'slaves/S0/frameworks/F/executors', executor, 'runs');
  mkdirSync(path.join(runs, run), { recursive: true });
  writeFileSync(path.join(runs, run, 'stdout'), 'x');
  rmSync(path.join(runs, 'latest'), { force: true });
  symlinkSync(path.join(runs, run), path.join(runs, 'latest'));
  utimesSync(path.join(runs, run), NOW / 1000 - secondsAgo, NOW / 1000 - secondsAgo);
  return path.join(runs, run);
}

/** The part of an agent that the collection uses. @param live directories of executors */
function agent(gcDelayMs: number, gcDiskHeadroom: number, ...live: string[]): Agent {
  const executors = new Map(live.map((directory) => [directory, { directory }]));
  const settings = { workDir, gcDelayMs, gcDiskHeadroom };
  const ports = { now: () => NOW, log: () => {} };
  return { settings, ports, frameworks: new Map([['F', { executors }]]) } as unknown as Agent;
}

test('removes sandboxes that are old enough, with the directories that are empty then', async () => {
  const { blocks, bfree } = statfsSync(workDir);
  const age = (bfree / blocks) * 1000;
  const old = sandbox('a', 'r1', age + 60);
  const live = sandbox('b', 'r1', age + 60);
  const recent = sandbox('b', 'r2', age - 60);
  await collectGarbage(agent(1_000_000, 0, live));
  expect([old, live, recent].map(existsSync)).toEqual([false, true, true]);
  const framework = path.join(workDir, 'slaves/S0/frameworks/F');
  expect(readdirSync(path.join(framework, 'executors'))).toEqual(['b']);
  expect(existsSync(path.join(framework, 'executors/b/runs/latest'))).toBe(true);
  await collectGarbage(agent(0, 0));
  expect(readdirSync(path.join(workDir, 'slaves'))).toEqual([]);
});

test('removes all ended sandboxes on a disk without the headroom, and no file behind a link', async () => {
  const run = sandbox('a', 'r', 1);
  const outside = path.join(workDir, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, path.join(run, 'link'));
  utimesSync(run, NOW / 1000 - 1, NOW / 1000 - 1);
  await collectGarbage(agent(1_000_000, 1));
  expect([run, outside].map(existsSync)).toEqual([false, true]);
});
