import { expect, test } from 'vitest';
import { type HelpPage, helpFile, helpText, VERSION } from './help-page.ts';

// The build compares all pages with oclif's help; these show what differs with the terminal.
const page: HelpPage = [
  'Run an image.',
  { header: 'VERSION', lines: VERSION },
  { header: 'USAGE', usage: '$ mesosup run IMAGE [--instances N] [--wait]', early: 2 },
  {
    header: 'FLAGS',
    list: [
      ['-f, --file=FILE', 'The file of the cluster on this machine.'],
      ['    --check=tcp|http', 'A check.'],
      ['    --wait'],
    ],
  },
  { header: 'DESCRIPTION', text: 'Run an image.\n\nThe container is in a network of its own.' },
];

test('fits a page to the terminal', () => {
  expect(helpText(page, { width: 46, styled: false }, '1.2.3')).toBe(`Run an image.

VERSION
  1.2.3

USAGE
  $ mesosup run IMAGE [--instances N]
    [--wait]

FLAGS
  -f, --file=FILE       The file of the
                        cluster on this
                        machine.
      --check=tcp|http  A check.
  --wait

DESCRIPTION
  Run an image.

  The container is in a network of its own.

`);
  expect(helpText(page, { width: 47, styled: false }, '')).toContain(
    '\n  $ mesosup run IMAGE [--instances N]\n',
  );
  expect(helpText(page, { width: 48, styled: false }, '')).toContain(' [--instances N] [--wait]\n');
});

test('writes texts below the names if the terminal is narrow', () => {
  const list = [
    ['--constraint=FIELD:OPERATOR:VALUE', 'Where the instances of the app run.'],
    ['--a', 'averyveryverylongwordthatfitsnowhere'],
  ] as const;
  expect(helpText([{ header: 'FLAGS', list }], { width: 40, styled: false }, '')).toBe(`FLAGS
  --constraint=FIELD:OPERATOR:VALUE
      Where the instances of the app run.

  --a
      averyveryverylongwordthatfitsnowhere

`);
});

test('breaks a word that is longer than a line, where that takes fewer lines', () => {
  const shown = (text: string) =>
    helpText([{ header: 'D', text }], { width: 12, styled: false }, '')
      .split('\n')
      .slice(1, -2);
  expect(shown('abc 1234567890123456')).toEqual(['  abc 123456', '  7890123456']);
  expect(shown('abc 12345678901234567')).toEqual(['  abc', '  1234567890', '  1234567']);
  expect(shown('one two three')).toEqual(['  one two', '  three']);
});

test('shows headers bold, and placeholders underlined, in a terminal with styles', () => {
  const shown = helpText(page, { width: 80, styled: true }, '').replaceAll('\u001b', '^');
  expect(shown).toContain('\n^[1mUSAGE^[22m\n');
  expect(shown).toContain('\n  -f, --file=^[4mFILE^[24m       The file');
  // As oclif does.
  expect(shown).toContain('\n      --check=tcp|http  A check.');
});

test('each command has a file', () => {
  expect(helpFile([])).toBe('help/mesosup.json');
  expect(helpFile(['app', 'list'])).toBe('help/mesosup.app.list.json');
});
