import { readFileSync } from 'node:fs';
import { CLIError } from '@oclif/core/errors';
import { describe, expect, test } from 'vitest';
import { expectedFailure, failureJson, failureText } from './failure.ts';
import { Interrupted, MesosupError, UsageError } from './mesosup-error.ts';

const expected = (error: unknown) => {
  const failure = expectedFailure(error);
  if (!failure) throw new Error('the error counts as a bug');
  return failure;
};

function systemError(): unknown {
  try {
    return readFileSync('/nowhere/at/all');
  } catch (error) {
    return error;
  }
}

test('an expected error is shown with its remedy on a second line', () => {
  expect(failureText(expected(new MesosupError('h1: Docker is not running', { remedy: 'Start it.' })))).toBe(
    'h1: Docker is not running\n→ Start it.',
  );
  expect(failureText(expected(new MesosupError('gone')))).toBe('gone');
});

test('the JSON of an error has its known details, but no exit code and no cause', () => {
  const error = new MesosupError('x', {
    host: 'h1',
    failure: 'lost',
    path: '/x',
    cause: new Error('secret'),
  });
  expect(JSON.parse(JSON.stringify(failureJson(expected(error))))).toEqual({
    error: { name: 'MesosupError', message: 'x', host: 'h1', failure: 'lost', path: '/x' },
  });
});

test('the JSON of an error about several hosts has a list by host', () => {
  const problems = [
    { host: 'h1', message: 'no space', remedy: 'Free some.' },
    { host: 'h2', message: 'gone', remedy: 'Start it.' },
  ];
  expect(failureJson(expected(new MesosupError('x', { problems })))).toMatchObject({ error: { problems } });
});

describe('the exit code', () => {
  const prompt: Error = Object.assign(new Error('closed'), { name: 'ExitPromptError' });
  const typed = new CLIError('unknown flag', { exit: 2 });
  test.each([
    ['of an error is 1', new MesosupError('x'), 1],
    ['of a usage error is 2', new UsageError('x'), 2],
    ['of an interruption is 130', new Interrupted('x'), 130],
    ['of a prompt that was left is 130', prompt, 130],
    ['of a wrong command line is 2', typed, 2],
    ['of an error of the system is 1', systemError(), 1],
  ])('%s', (_title, error, code) => {
    expect(expected(error).exitCode).toBe(code);
  });
});

test('any other error is a bug', () => {
  const errors = [new Error('x'), new TypeError('x'), new RangeError('x'), 'x', undefined];
  expect(errors.map(expectedFailure)).toEqual(errors.map(() => undefined));
});
