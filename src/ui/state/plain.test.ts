import { expect, it } from 'vitest';
import { plain, plainLine } from './plain.ts';

it('shows control characters, escapes and marks of direction', () => {
  expect(plain('a\u202eb\u001b[2Jc\u200b')).toBe('a\\u202eb\\x1b[2Jc\\u200b');
  expect(plain('<b>&amp;</b> ü 漢')).toBe('<b>&amp;</b> ü 漢');
});

it('leaves out the colours of a line, keeps its tabs as blanks, and cuts a very long one', () => {
  expect(plainLine('\u001b[31mred\u001b[0m\tend')).toBe('red    end');
  expect(plainLine('x'.repeat(1_000_000))).toMatch(/^x{4000} … \(996000 more characters;/);
});
