import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CLIError } from '@oclif/core/errors';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isDefect, reportDefect } from './defect-report.ts';
import { Defect } from './text/defect.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'mesosup-bug-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

function report(error: unknown, args: readonly string[], directories = [directory]): string {
  let shown = '';
  const take = (text: string | Uint8Array) => {
    shown += text.toString();
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(take);
  vi.spyOn(process.stdout, 'write').mockImplementation(take);
  reportDefect(error, { version: '1.2.3', args, directories });
  return shown;
}

test('a bug is shown in two lines without a stack, and its stack goes into a file for its owner alone', () => {
  const shown = report(new Defect(new TypeError('x is not a function')), ['plan', '--hosts', 'a']);
  const [name = ''] = readdirSync(directory);
  const file = path.join(directory, name);
  expect(shown).toBe(
    `mesosup has a bug and stopped: TypeError: x is not a function\n→ Report it with the file ${file}\n`,
  );
  expect(process.exitCode).toBe(1);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('mesosup 1.2.3');
  expect(text).toContain('mesosup plan --hosts a');
  expect(text).toMatch(/TypeError: x is not a function\n {4}at .*defect-report\.test\.ts/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('with --json a bug is one object on standard output', () => {
  const shown = report(new RangeError('too far'), ['status', '--json']);
  const [name = ''] = readdirSync(directory);
  expect(JSON.parse(shown)).toEqual({
    error: {
      name: 'RangeError',
      message: 'too far',
      mend: expect.stringContaining(name),
      bug: true,
      report: path.join(directory, name),
    },
  });
});

test('the report goes where it can be written, and its absence is reported', () => {
  const nowhere = path.join(import.meta.filename, 'none');
  report(new Error('x'), [], [nowhere, directory]);
  expect(readdirSync(directory)).toHaveLength(1);
  expect(report(new Error('x'), [], [nowhere])).toContain('No report could be written');
});

test('errors of the language and errors that no command expected are bugs, and no others', () => {
  expect([new TypeError('x'), new Defect(new Error('x'))].map(isDefect)).toEqual([true, true]);
  expect([new Error('x'), new CLIError('x')].map(isDefect)).toEqual([false, false]);
});
