import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { templates } from '../../test/install/hosts.ts';
import { runs } from '../../test/support/runs.ts';
import { environmentValue, render, systemdWord } from './templates.ts';

const line = fc.string({ unit: 'binary-ascii' }).filter((text) => !/\p{Cc}/u.test(text));

test('sh reads back the value of a variable', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (values) => {
      const script = values
        .map((value, index) => `v${index}=${environmentValue(value)}\nprintf '%s\\0' "$v${index}"`)
        .join('\n');
      expect(execFileSync('/bin/sh', ['-c', script]).toString()).toBe(values.map((v) => `${v}\0`).join(''));
    }),
    { numRuns: runs(20) },
  );
});

/** systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers". */
test('a word of a unit contains no specifier, no variable and no separator', () => {
  expect(systemdWord('/opt/x')).toBe('/opt/x');
  expect(systemdWord('50% of $HOME')).toBe('"50%% of $$HOME"');
  expect(systemdWord('say "\\"')).toBe('"say \\"\\\\\\""');
  expect(systemdWord('')).toBe('""');
  expect(systemdWord("it's")).toBe('"it\'s"');
});

test('refuses control characters in units and variables', () => {
  expect(() => systemdWord('a\nb')).toThrow(TypeError);
  expect(() => environmentValue('a\u0000b')).toThrow(TypeError);
});

test('every template ends with a line end, and an error names a missing template', () => {
  for (const [path, text] of Object.entries(templates)) expect(text, path).toMatch(/[^\n]\n$/);
  expect(() => render({}, 'systemd/none', {})).toThrow('systemd/none');
});
