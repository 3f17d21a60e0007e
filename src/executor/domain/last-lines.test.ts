import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exitText } from './exit-text.ts';
import { lastLines, MAX_LENGTH, MAX_LINES } from './last-lines.ts';

describe('the last lines', () => {
  test('are the last ten, without empty lines at the end', () => {
    const text = Array.from({ length: 30 }, (_, i) => `line ${i}\r\n`).join('');
    expect(lastLines(`${text}\n \n`, true).split('\n')).toEqual(
      Array.from({ length: MAX_LINES }, (_, i) => `line ${20 + i}`),
    );
  });

  test('leave out a first line that may be cut, unless it is the only one', () => {
    expect(lastLines('ut off\nwhole\n', false)).toBe('whole');
    expect(lastLines('first\nsecond', true)).toBe('first\nsecond');
    expect(lastLines('x'.repeat(2000), false)).toBe(`…${'x'.repeat(MAX_LENGTH - 1)}`);
  });

  test('contain no colours, control characters or marks that reverse text', () => {
    expect(lastLines('\x1b[1;31mred\x1b[0m\tA\x07\x1b]0;title\x07\u202Etxt.exe\0', true)).toBe(
      'red  A\uFFFD\uFFFD]0;title\uFFFD\uFFFDtxt.exe\uFFFD',
    );
  });

  test('of any output are bounded and harmless', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3000, size: 'max' });
    fc.assert(
      fc.property(text, fc.boolean(), (output, complete) => {
        const lines = lastLines(output, complete);
        expect(lines.length).toBeLessThanOrEqual(MAX_LENGTH);
        expect(lines.split('\n').length).toBeLessThanOrEqual(MAX_LINES);
        expect(lines.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(lines.isWellFormed()).toBe(output.isWellFormed() || lines.isWellFormed());
      }),
    );
  });
});

describe('the end of a container', () => {
  test.each([
    [0, 'Container exited with status 0'],
    [3, 'Container exited with status 3'],
    [128, 'Container exited with status 128'],
    [137, 'Container exited with status 137 (SIGKILL)'],
    [143, 'Container exited with status 143 (SIGTERM)'],
    [255, 'Container exited with status 255'],
  ])('with status %i is described', (status, text) => {
    expect(exitText(status)).toBe(text);
  });
});
