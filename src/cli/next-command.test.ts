import { expect, test } from 'vitest';
import { nextCommand } from './next-command.ts';

test.each([
  [[], 'mesosup install'],
  [['--hosts', 'a,b', '--brief', '--diff', '--json'], 'mesosup install --hosts a,b'],
  [['-f', 'c.yaml', '--no-input', '--allow-remove', 'x'], 'mesosup install --file c.yaml --no-input'],
  [['--file=c d.yaml', '--out', 'p', '--key', "a'b"], "mesosup install '--file=c d.yaml' --key 'a'\\''b'"],
])('after plan %j suggests %s', (argv, command) => {
  expect(nextCommand('mesosup', 'install', argv)).toBe(command);
});
