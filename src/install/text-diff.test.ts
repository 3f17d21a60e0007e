import fc from 'fast-check';
import { expect, test } from 'vitest';
import { secrets } from '../../test/install/hosts.ts';
import { runs } from '../../test/support/runs.ts';
import { secretMark } from '../cluster/secrets.ts';
import { safeDiff, textDiff } from './text-diff.ts';

test('shows changes between two unchanged lines', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
  expect(textDiff(before, before.replace('d', 'D'))).toEqual([
    ' …',
    ' b',
    ' c',
    '-d',
    '+D',
    ' e',
    ' f',
    ' …',
  ]);
  expect(textDiff('a\n', 'a\n')).toEqual([' …']);
  expect(textDiff('', 'x\n')).toEqual(['+x']);
  expect(textDiff(undefined, 'x\ny')).toEqual(['+x', '+y']);
});

const lines = fc.array(fc.constantFrom<string>('a', 'b', 'c', ''), { maxLength: 8 });

test('a diff is a minimal edit of one text into the other', () => {
  fc.assert(
    fc.property(lines, lines, (left, right) => {
      const text = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');
      const diff = textDiff(text(left), text(right));
      const taken = diff.filter((line) => line.startsWith('-')).map((line) => line.slice(1));
      const added = diff.filter((line) => line.startsWith('+')).map((line) => line.slice(1));
      const rest = [...left];
      for (const line of taken) rest.splice(rest.indexOf(line), 1);
      expect([...rest, ...added].toSorted()).toEqual(right.toSorted());
      if (text(left) === text(right)) expect([...taken, ...added]).toEqual([]);
    }),
    { numRuns: runs(100) },
  );
});

test('shows only the number of lines of very long texts', () => {
  expect(textDiff('x\n'.repeat(1500), 'y\n'.repeat(600))).toEqual(['-1500 lines', '+600 lines']);
});

test('conceals secrets as dots, and never shows the old text of a line with a secret', () => {
  const wanted = `password=${secretMark('api')}\nport=1\n`;
  expect(safeDiff('password=hunter2\n', wanted, secrets)).toEqual(['+password=••••••••', '+port=1']);
  expect(safeDiff(`MASTER=${secrets.agent}\n`, 'plain\n', secrets)).toEqual(['-MASTER=••••••••', '+plain']);
});
