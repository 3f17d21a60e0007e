import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Amounts,
  add,
  amountsOf,
  contains,
  countRanges,
  formatRanges,
  fromMilli,
  NOTHING,
  normalizeRanges,
  rangesContain,
  subtract,
  subtractRanges,
  toMilli,
  toResources,
} from './resources.ts';
import type { Range, Resource } from './types.ts';

const anyRange = fc
  .tuple(fc.nat(60), fc.integer({ min: -2, max: 15 }))
  .map(([begin, more]): Range => ({ begin, end: begin + more }));
const anyRanges = fc.array(anyRange, { maxLength: 8 });
const anyAmounts = fc.record({ cpus: fc.nat(5000), mem: fc.nat(5000), ports: anyRanges }).map(
  ({ cpus, mem, ports }): Amounts => ({
    scalars: new Map(Object.entries({ cpus, mem })),
    ranges: new Map([['ports', normalizeRanges(ports)]]),
  }),
);

/** The definition of ranges as a set, to compare the optimized code with. */
function valuesOf(ranges: readonly Range[]): Set<number> {
  const values = new Set<number>();
  for (const { begin, end } of ranges) for (let value = begin; value <= end; value += 1) values.add(value);
  return values;
}

const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } });
const ports = (...range: Range[]): Resource => ({ name: 'ports', type: 'RANGES', ranges: { range } });

describe('scalars', () => {
  it('are whole thousandths, rounded half away from zero', () => {
    expect([0.1, 0.0014, 0.0005, -0.0005, 7.4].map(toMilli)).toEqual([100, 1, 1, -1, 7400]);
    expect(fromMilli(7400)).toBe(7.4);
  });

  it('are summed exactly where floating point is not exact', () => {
    expect(amountsOf([scalar('cpus', 0.1), scalar('cpus', 0.2)]).scalars.get('cpus')).toBe(300);
  });
});

describe('ranges', () => {
  it('normalize to sorted, disjoint, not adjacent ranges of the same values', () => {
    fc.assert(
      fc.property(anyRanges, (ranges) => {
        const normal = normalizeRanges(ranges);
        expect(valuesOf(normal)).toEqual(valuesOf(ranges));
        expect(countRanges(normal)).toBe(valuesOf(ranges).size);
        for (const [i, range] of normal.entries()) {
          expect(range.end).toBeGreaterThanOrEqual(range.begin);
          const before = normal[i - 1];
          if (before) expect(range.begin).toBeGreaterThan(before.end + 1);
        }
        expect(normalizeRanges(normal)).toEqual(normal);
      }),
    );
  });

  it('are subtracted like sets, and stay normalized', () => {
    fc.assert(
      fc.property(anyRanges, anyRanges, (a, b) => {
        const rest = subtractRanges(normalizeRanges(a), normalizeRanges(b));
        expect(valuesOf(rest)).toEqual(new Set([...valuesOf(a)].filter((value) => !valuesOf(b).has(value))));
        expect(normalizeRanges(rest)).toEqual(rest);
      }),
    );
  });

  it('contain exactly their subsets', () => {
    fc.assert(
      fc.property(anyRanges, anyRanges, (a, b) => {
        const expected = [...valuesOf(b)].every((value) => valuesOf(a).has(value));
        expect(rangesContain(normalizeRanges(a), normalizeRanges(b))).toBe(expected);
      }),
    );
  });

  it('do not change their arguments', () => {
    const ranges = [
      { begin: 1, end: 2 },
      { begin: 3, end: 4 },
    ];
    normalizeRanges(ranges);
    expect(ranges).toEqual([
      { begin: 1, end: 2 },
      { begin: 3, end: 4 },
    ]);
  });

  it('are formatted as in Mesos', () => {
    expect(
      formatRanges([
        { begin: 31000, end: 31000 },
        { begin: 31002, end: 32000 },
      ]),
    ).toBe('[31000-31000, 31002-32000]');
  });
});

describe('amounts', () => {
  it('are restored by adding a contained, subtracted part', () => {
    fc.assert(
      fc.property(anyAmounts, anyAmounts, (a, b) => {
        const whole = add(a, b);
        expect(contains(whole, a)).toBe(true);
        expect(add(subtract(whole, a), a)).toEqual(whole);
      }),
    );
  });

  it('of disjoint ports are restored by subtracting an added part', () => {
    fc.assert(
      fc.property(anyAmounts, anyAmounts, (a, b) => {
        const free = {
          ...b,
          ranges: new Map([
            ['ports', subtractRanges(b.ranges.get('ports') ?? [], a.ranges.get('ports') ?? [])],
          ]),
        };
        expect(subtract(add(a, free), free)).toEqual(a);
      }),
    );
  });

  it('survive the conversion to JSON and back, without zeros', () => {
    fc.assert(
      fc.property(anyAmounts, (amounts) => {
        const again = amountsOf(toResources(amounts, 'web'));
        expect(contains(again, amounts) && contains(amounts, again)).toBe(true);
      }),
    );
  });

  it('are summed by name over all roles; sets are left out', () => {
    const amounts = amountsOf([
      scalar('cpus', 1),
      { ...scalar('cpus', 2.5), role: 'web' },
      ports({ begin: 10, end: 19 }),
      { ...ports({ begin: 20, end: 29 }), role: 'web' },
      { name: 'disks', type: 'SET', set: { item: ['a'] } },
      { name: 'empty', type: 'SCALAR' },
      { name: 'none', type: 'RANGES' },
    ]);
    expect(Object.fromEntries(amounts.scalars)).toEqual({ cpus: 3500, empty: 0 });
    expect(Object.fromEntries(amounts.ranges)).toEqual({ ports: [{ begin: 10, end: 29 }], none: [] });
  });

  it('do not contain a missing name or port', () => {
    const whole = amountsOf([scalar('cpus', 1), ports({ begin: 1, end: 5 })]);
    expect(contains(whole, amountsOf([scalar('cpus', 1), ports({ begin: 1, end: 5 })]))).toBe(true);
    expect(contains(whole, amountsOf([scalar('cpus', 1.001)]))).toBe(false);
    expect(contains(whole, amountsOf([scalar('gpus', 1)]))).toBe(false);
    expect(contains(whole, amountsOf([scalar('gpus', 0)]))).toBe(true);
    expect(contains(whole, amountsOf([ports({ begin: 5, end: 6 })]))).toBe(false);
    expect(contains(NOTHING, amountsOf([ports({ begin: 5, end: 6 })]))).toBe(false);
    const overdrawn = subtract(NOTHING, amountsOf([scalar('cpus', 1)]));
    expect(contains(overdrawn, amountsOf([scalar('cpus', 0)]))).toBe(true);
  });

  it('become negative when more is subtracted than available', () => {
    const less = subtract(NOTHING, amountsOf([scalar('cpus', 1), ports({ begin: 1, end: 2 })]));
    expect(less.scalars.get('cpus')).toBe(-1000);
    expect(less.ranges.get('ports')).toEqual([]);
  });

  it('are summed from an empty value', () => {
    const some = amountsOf([scalar('cpus', 1), ports({ begin: 1, end: 2 })]);
    expect(add(NOTHING, some)).toEqual(some);
  });

  it('are converted to JSON with their role, without zeros', () => {
    const amounts = amountsOf([scalar('cpus', 0.5), scalar('mem', 0), ports({ begin: 1, end: 2 })]);
    expect(toResources(amounts, 'web')).toEqual([
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 }, role: '*', allocation_info: { role: 'web' } },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: { range: [{ begin: 1, end: 2 }] },
        role: '*',
        allocation_info: { role: 'web' },
      },
    ]);
    expect(toResources(amountsOf([{ name: 'ports', type: 'RANGES' }]), '*')).toEqual([]);
  });
});
