import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TaskFiles } from './task-files.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mesosup-files-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('the tail is the end of the container’s output', () => {
  const files = new TaskFiles(root, 'a', false);
  const tail = (from: number, most: number) => {
    const { bytes, complete } = files.tail('stderr', from, most);
    return [bytes.toString(), complete];
  };
  expect(tail(0, 10)).toEqual(['', true]);
  files.note('note');
  files.note('output');
  expect([tail(5, 100), tail(5, 7), tail(5, 3)]).toEqual([
    ['output\n', true],
    ['output\n', true],
    ['ut\n', false],
  ]);
  writeFileSync(path.join(root, 'tasks/a/stderr.1'), 'older');
  expect(tail(5, 100)).toEqual(['note\noutput\n', false]);
});

test('a task of the 2013 form shares the output of its executor, other tasks have their own', () => {
  new TaskFiles(root, 'a/b', true).note('single');
  const shared = new TaskFiles(root, '../b', false);
  shared.note('shared');
  expect(readFileSync(path.join(root, 'stderr'), 'utf8')).toBe('single\n');
  expect(readFileSync(path.join(root, 'tasks/%2E.%2Fb/stderr'), 'utf8')).toBe('shared\n');
  expect(shared.sizes()).toEqual({ stdout: 0, stderr: 7 });
});

test('a link in the place of the output is refused', () => {
  const target = path.join(root, 'target');
  symlinkSync(target, path.join(root, 'stderr'));
  expect(() => new TaskFiles(root, 'a', true)).toThrow(/ELOOP/);
  expect(existsSync(target)).toBe(false);
  writeFileSync(target, 'x');
  symlinkSync(root, path.join(root, 'tasks'));
  expect(() => new TaskFiles(root, 'a', false)).toThrow(/ENOTDIR|ELOOP/);
});
