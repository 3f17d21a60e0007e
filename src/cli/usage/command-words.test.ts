import { expect, test } from 'vitest';
import { checkCommandWords, ownArguments, withLongHelp, wordsAfterDashes } from './command-words.ts';

const commands = [
  { id: 'demo', args: {} },
  { id: 'demo:down', args: {} },
  { id: 'help', args: { command: {} }, strict: false },
  { id: 'install', args: { plan: {} } },
  { id: 'api', args: {} },
  { id: 'app:list', args: {} },
  { id: 'plan', args: {} },
  { id: 'scheduler:backup', args: { file: {} } },
  { id: 'secret', args: {}, hidden: true },
];

test.each([[], ['--help'], ['plan', '--hosts', 'x'], ['install', 'plan.json'], ['scheduler', 'backup', 'x']])(
  'accepts %j %j %j',
  (...args) => {
    expect(() => checkCommandWords(args, commands)).not.toThrow();
  },
);
test.each([['scheduler'], ['demo', 'down'], ['help', 'demo', 'down'], ['secret']])(
  'accepts %j %j %j',
  (...args) => {
    expect(() => checkCommandWords(args, commands)).not.toThrow();
  },
);

test.each([
  [['instal'], 'mesosup has no command "instal"; did you mean "install"?', 'mesosup help'],
  [['ap', 'list'], 'mesosup has no command "ap"; did you mean "app"?', 'mesosup help'],
  [['secre'], 'mesosup has no command "secre"', 'mesosup help'],
  [['backup'], 'mesosup has no command "backup"; did you mean "scheduler backup"?', 'mesosup help'],
  [['demo', 'dwon'], 'mesosup demo has no command "dwon"; did you mean "down"?', 'mesosup help demo'],
  [['scheduler', 'x', 'y'], 'mesosup scheduler has no command "x"', 'mesosup help scheduler'],
  [['plan', 'x'], 'mesosup plan takes no argument, but the command line has "x"', 'mesosup plan --help'],
  [['plan', 'a.yml'], 'mesosup plan takes no argument', 'mesosup plan --file a.yml'],
  [['demo', 'down', 'x'], 'mesosup demo down takes no argument', 'mesosup demo down --help'],
  [['--json', 'plan'], 'the flag --json comes before the command', 'mesosup plan --json'],
])('refuses %j', (args, message, remedy) => {
  expect(() => checkCommandWords(args, commands)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    }),
  );
});

test('leaves the arguments after -- to the other program', () => {
  expect(withLongHelp(['app', '-h', '--', 'ls', '-h'])).toEqual(['app', '--help', '--', 'ls', '-h']);
  expect(ownArguments(['a', '--', '--json'])).toEqual(['a']);
  expect(wordsAfterDashes(['a', '--', 'echo', 'a', '--', 'b'])).toEqual(['echo', 'a', '--', 'b']);
  expect(wordsAfterDashes(['a'])).toEqual([]);
});
