import { expect, test } from 'vitest';
import { helpLayout, helpRequest } from './help-request.ts';

test.each([
  [[], []],
  [['--help'], []],
  [['-h'], []],
  [['help'], []],
  [['status', '--help'], ['status']],
  [
    ['demo', 'down', '-h'],
    ['demo', 'down'],
  ],
  [
    ['help', 'demo', 'down'],
    ['demo', 'down'],
  ],
  [['status'], undefined],
  [['--help', 'status'], undefined],
  [['status', '--json', '--help'], undefined],
  [['app', 'exec', 'a', '--', '--help'], undefined],
  [['help', '../../etc'], undefined],
  [['help', '--json'], undefined],
])('%j asks for the help of %j', (args, words) => {
  expect(helpRequest(args)).toEqual(words);
});

test('fits help to the terminal', () => {
  const layout = (terminal: object) => helpLayout(terminal as NodeJS.WriteStream);
  expect(layout({})).toEqual({ width: 80, styled: false });
  expect(layout({ isTTY: true, columns: 0, hasColors: () => true })).toEqual({ width: 80, styled: true });
  expect(layout({ isTTY: true, columns: 132, hasColors: () => false })).toEqual({
    width: 132,
    styled: false,
  });
  expect(layout({ isTTY: true, columns: 20 })).toEqual({ width: 40, styled: false });
});
