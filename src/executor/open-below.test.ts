import { closeSync, constants, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeBelow, openBelow } from './open-below.ts';

let root: string;
let outside: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mesosup-below-'));
  outside = mkdtempSync(path.join(tmpdir(), 'mesosup-outside-'));
  writeFileSync(path.join(outside, 'secret'), 'secret');
});
afterEach(() => {
  for (const directory of [root, outside]) rmSync(directory, { recursive: true, force: true });
});

test('opens a file in directories that it made', () => {
  makeBelow(root, ['tasks', 'a']);
  makeBelow(root, ['tasks', 'a']);
  const fd = openBelow(root, ['tasks', 'a', 'stdout'], constants.O_WRONLY | constants.O_CREAT);
  writeFileSync(fd, 'out');
  closeSync(fd);
  expect(readFileSync(path.join(root, 'tasks/a/stdout'), 'utf8')).toBe('out');
});

test('refuses a link in each place of the path', () => {
  symlinkSync(path.join(outside, 'secret'), path.join(root, 'stdout'));
  expect(() => openBelow(root, ['stdout'], constants.O_RDONLY)).toThrow(/ELOOP/);
  symlinkSync(outside, path.join(root, 'tasks'));
  expect(() => openBelow(root, ['tasks', 'secret'], constants.O_RDONLY)).toThrow(/ENOTDIR|ELOOP/);
  expect(() => makeBelow(root, ['tasks', 'a'])).toThrow(/ENOTDIR|ELOOP/);
});

test.each(['..', '.', '', 'a/b', 'a\0b'])('refuses %j as a name', (name) => {
  expect(() => openBelow(root, [name], constants.O_RDONLY)).toThrow(RangeError);
  expect(() => makeBelow(root, [name])).toThrow(RangeError);
});
