import { expect, it } from 'vitest';
import { plain, plainJson, plainLine, plainLines } from './plain.ts';

it('shows control characters, escapes and marks of direction', () => {
  expect(plain('a\u202eb\u001b[2Jc\u200b')).toBe('a\\u202eb\\x1b[2Jc\\u200b');
  expect(plain('<b>&amp;</b> ü 漢')).toBe('<b>&amp;</b> ü 漢');
});

it('leaves out the colours of a line, keeps its tabs as blanks, and cuts a very long one', () => {
  expect(plainLine('\u001b[31mred\u001b[0m\tend')).toBe('red    end');
  expect(plainLine('x'.repeat(1_000_000))).toMatch(/^x{4000} … \(996000 more characters;/);
});

it('keeps the lines of a message', () => {
  expect(plainLines('ended\nwith\r\u001b[2J')).toBe('ended\nwith\\x0d\\x1b[2J');
});

it('escapes what can not be seen in JSON, which keeps its meaning', () => {
  const value = { label: 'a\u202eb\u001b[2J' };
  expect(plainJson(value)).toContain('a\\u202eb\\u001b[2J');
  expect(JSON.parse(plainJson(value))).toEqual(value);
});
