import { expect, test } from 'vitest';
import { otherCommand } from './run-kept-program.ts';

test('a release with upgrade gets all flags but the version', () => {
  expect(otherCommand(['--to', '1.0.0', '--first', 'h1', '-f', 'x.yaml', '--only=mesosup'], true)).toEqual([
    ...['upgrade', '--only', 'mesosup'],
    ...['--first', 'h1', '-f', 'x.yaml'],
  ]);
});

test('a release without upgrade installs, or plans, and knows none of its flags', () => {
  expect(otherCommand(['--to=0.1.0', '-f', 'x.yaml', '--yes'], false)).toEqual([
    ...['install', '-f', 'x.yaml', '--yes'],
  ]);
  expect(otherCommand(['--dry-run', '--to', '0.1.0', '--only', 'mesosup', '-y'], false)).toEqual(['plan']);
  expect(() => otherCommand(['--to', '0.1.0', '--first', 'h1'], false)).toThrow('does not know --first');
});
