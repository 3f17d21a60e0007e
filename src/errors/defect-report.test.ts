import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureOf } from './defect-report.ts';
import { failureJson, failureText } from './failure.ts';
import { UsageError } from './mesosup-error.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'mesosup-bug-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function report(error: unknown, args: readonly string[], directories = [directory]) {
  return failureOf(error, { version: '1.2.3', command: ['mesosup', ...args], directories });
}

test('a bug is shown in two lines without a stack, and its stack goes into a file that only its owner can read', () => {
  const failure = report(new TypeError('x is not a function'), ['plan', '--hosts', 'a']);
  const [name = ''] = readdirSync(directory);
  const file = path.join(directory, name);
  expect(failureText(failure)).toBe(
    `mesosup stopped because of a bug: TypeError: x is not a function\n→ Report the bug and attach the file ${file}`,
  );
  expect(failure.exitCode).toBe(1);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('mesosup 1.2.3');
  expect(text).toContain('mesosup plan --hosts a');
  expect(text).toMatch(/TypeError: x is not a function\n {4}at .*defect-report\.test\.ts/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('with --json a bug is one object', () => {
  const failure = report(new RangeError('too far'), ['status', '--json']);
  const [name = ''] = readdirSync(directory);
  expect(JSON.parse(JSON.stringify(failureJson(failure)))).toEqual({
    error: {
      name: 'RangeError',
      message: 'too far',
      remedy: expect.stringContaining(name),
      bug: true,
      report: path.join(directory, name),
    },
  });
});

test('the report goes into the first writable directory, and a missing report is mentioned', () => {
  const nowhere = path.join(import.meta.filename, 'none');
  report(new Error('x'), [], [nowhere, directory]);
  expect(readdirSync(directory)).toHaveLength(1);
  expect(failureText(report(new Error('x'), [], [nowhere]))).toContain('No report was written');
});

test('no report is written for an expected error', () => {
  expect(failureText(report(new UsageError('no such flag'), []))).toBe('no such flag');
  expect(readdirSync(directory)).toEqual([]);
});
