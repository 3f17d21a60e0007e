import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TaskInvalidError } from './domain/task-plan.ts';
import { TaskFiles } from './task-files.ts';
import { makeTaskSandbox, mountedPath } from './task-sandbox.ts';

let root: string;
let files: TaskFiles;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mesosup-sandbox-'));
  files = new TaskFiles(root, 't', false);
  makeTaskSandbox(files);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const mounted = (...names: string[]) => mountedPath(files, { names, target: '/t', readOnly: true });

describe('a volume of the sandbox', () => {
  test('is a directory, which is created if it is missing', () => {
    expect(mounted('a', 'b')).toEqual({ source: `${files.sandbox}/a/b`, target: '/t', readOnly: true });
    expect(statSync(`${files.sandbox}/a/b`).isDirectory()).toBe(true);
    expect(mounted('a', 'b').source).toBe(`${files.sandbox}/a/b`);
    expect(mounted().source).toBe(files.sandbox);
  });

  test('may be a fetched file, also behind a link within the sandbox', () => {
    mkdirSync(`${files.sandbox}/app-1`);
    writeFileSync(`${files.sandbox}/app-1/x.conf`, '');
    symlinkSync('app-1', `${files.sandbox}/app`);
    expect(mounted('app', 'x.conf').source).toBe(`${files.sandbox}/app-1/x.conf`);
  });

  test.each([
    ['/etc', ['out'], /leads out/],
    ['/etc', ['out', 'passwd'], /leads out/],
    ['../..', ['out', 'state'], /leads out/],
    ['nowhere', ['out'], /nowhere/],
    ['/etc', ['..'], /not a path/],
    ['/etc', ['a/b'], /not a path/],
  ])('is refused where a link to %s leads out of the sandbox: %j', (to, names, why) => {
    symlinkSync(to, `${files.sandbox}/out`);
    expect(() => mounted(...names)).toThrow(TaskInvalidError);
    expect(() => mounted(...names)).toThrow(why);
  });
});
