import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineMerge } from './merge.ts';

test('lines wait until every source has sent a later one, has ended, or the wait is over', () => {
  const merge = new LineMerge<string>(['a', 'b']);
  merge.push('a', 'a1', 1, 0);
  merge.push('a', 'a3', 3, 0);
  expect(merge.take(0)).toEqual([]);
  merge.push('b', 'b2', 2, 5);
  expect(merge.take(0)).toEqual(['a1', 'b2']);
  expect(merge.take(0)).toEqual([]);
  expect(merge.take(1)).toEqual(['a3']);
  merge.push('a', 'a4', 4, 6);
  merge.end('b');
  expect(merge.take(0)).toEqual(['a4']);
});

test('a line without a time, or with an earlier one, stays behind the line before of its source', () => {
  const merge = new LineMerge<string>(['a', 'b']);
  merge.push('a', 'a5', 5, 0);
  merge.push('a', 'none', undefined, 0);
  merge.push('a', 'set back', 1, 0);
  merge.push('b', 'b4', 4, 0);
  merge.push('b', 'b6', 6, 0);
  merge.end('a');
  merge.end('b');
  expect(merge.take(0)).toEqual(['b4', 'a5', 'none', 'set back', 'b6']);
});

test('whatever the order of arrival, all lines come out in the order of their times', () => {
  const source = fc.array(fc.nat(50), { maxLength: 20 }).map((times) => times.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(fc.tuple(source, source, source), fc.infiniteStream(fc.nat(2)), (lists, turns) => {
      const merge = new LineMerge<number>(['0', '1', '2']);
      const rest = lists.map((times) => [...times]);
      const out: number[] = [];
      while (rest.some((times) => times.length > 0)) {
        const turn = turns.next().value ?? 0;
        const at = rest[turn]?.shift();
        if (at === undefined) merge.end(String(turn));
        else merge.push(String(turn), at, at, 1);
        out.push(...merge.take(0));
      }
      for (const name of ['0', '1', '2']) merge.end(name);
      out.push(...merge.take(0));
      expect(out).toEqual(lists.flat().toSorted((a, b) => a - b));
    }),
  );
});
