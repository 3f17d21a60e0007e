/**
 * Arithmetic on Mesos resources. Scalars have three decimals and are stored as integer thousandths, as in Mesos, so that
 * sums are exact. Port ranges are sorted.
 */

import type { Range, Resource } from './types.ts';

/** Amounts of one role on one agent. Scalars are in thousandths; ranges are sorted, disjoint and not adjacent. */
export interface Amounts {
  readonly scalars: ReadonlyMap<string, number>;
  readonly ranges: ReadonlyMap<string, readonly Range[]>;
}

export const NOTHING: Amounts = { scalars: new Map(), ranges: new Map() };

/** Converts a scalar to thousandths, rounded half away from zero as in Mesos. */
export function toMilli(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value) * 1000);
}

export function fromMilli(milli: number): number {
  return milli / 1000;
}

/** Sorts ranges and joins those that overlap or touch. Ranges with end < begin are dropped. */
export function normalizeRanges(ranges: readonly Range[]): Range[] {
  const sorted = ranges.filter((r) => r.end >= r.begin).sort((a, b) => a.begin - b.begin);
  const out: Range[] = [];
  for (const { begin, end } of sorted) {
    const last = out.at(-1);
    if (last && begin <= last.end + 1) last.end = Math.max(last.end, end);
    else out.push({ begin, end });
  }
  return out;
}

/** Returns the values of `a` that are not in `b`. Arguments and result are normalized. */
export function subtractRanges(a: readonly Range[], b: readonly Range[]): Range[] {
  const out: Range[] = [];
  let i = 0;
  for (const range of a) {
    let begin = range.begin;
    while (i < b.length && (b[i] as Range).end < begin) i += 1;
    for (let j = i; j < b.length && (b[j] as Range).begin <= range.end; j += 1) {
      const hole = b[j] as Range;
      if (hole.begin > begin) out.push({ begin, end: hole.begin - 1 });
      begin = hole.end + 1;
    }
    if (begin <= range.end) out.push({ begin, end: range.end });
  }
  return out;
}

/** True if every value of `part` is in `total`. Both are normalized. */
export function rangesContain(total: readonly Range[], part: readonly Range[]): boolean {
  return subtractRanges(part, total).length === 0;
}

export function countRanges(ranges: readonly Range[]): number {
  return ranges.reduce((sum, r) => sum + r.end - r.begin + 1, 0);
}

/** Sums resources of all roles by name. SET resources are not used and left out. */
export function amountsOf(resources: readonly Resource[]): Amounts {
  const scalars = new Map<string, number>();
  const ranges = new Map<string, Range[]>();
  for (const r of resources) {
    if (r.type === 'SCALAR') {
      scalars.set(r.name, (scalars.get(r.name) ?? 0) + toMilli(r.scalar?.value ?? 0));
    } else if (r.type === 'RANGES') {
      ranges.set(r.name, normalizeRanges([...(ranges.get(r.name) ?? []), ...(r.ranges?.range ?? [])]));
    }
  }
  return { scalars, ranges };
}

export function add(a: Amounts, b: Amounts): Amounts {
  const scalars = new Map(a.scalars);
  for (const [name, value] of b.scalars) scalars.set(name, (scalars.get(name) ?? 0) + value);
  const ranges = new Map(a.ranges);
  for (const [name, value] of b.ranges)
    ranges.set(name, normalizeRanges([...(ranges.get(name) ?? []), ...value]));
  return { scalars, ranges };
}

/** Subtracts `b` from `a`. Scalars may become negative; check with `contains` first. */
export function subtract(a: Amounts, b: Amounts): Amounts {
  const scalars = new Map(a.scalars);
  for (const [name, value] of b.scalars) scalars.set(name, (scalars.get(name) ?? 0) - value);
  const ranges = new Map(a.ranges);
  for (const [name, value] of b.ranges) ranges.set(name, subtractRanges(ranges.get(name) ?? [], value));
  return { scalars, ranges };
}

/** True if `total` has at least `part`. */
export function contains(total: Amounts, part: Amounts): boolean {
  for (const [name, value] of part.scalars)
    if (value > 0 && (total.scalars.get(name) ?? 0) < value) return false;
  for (const [name, value] of part.ranges)
    if (!rangesContain(total.ranges.get(name) ?? [], value)) return false;
  return true;
}

/** Converts amounts to Mesos' JSON, for one allocation role. Leaves out zero scalars and empty ranges, as Mesos does. */
export function toResources(amounts: Amounts, allocationRole: string): Resource[] {
  const allocation_info = { role: allocationRole };
  const out: Resource[] = [];
  for (const [name, milli] of amounts.scalars) {
    if (milli !== 0) {
      out.push({ name, type: 'SCALAR', scalar: { value: fromMilli(milli) }, role: '*', allocation_info });
    }
  }
  for (const [name, range] of amounts.ranges) {
    if (range.length > 0) {
      const copy = range.map((r) => ({ begin: r.begin, end: r.end }));
      out.push({ name, type: 'RANGES', ranges: { range: copy }, role: '*', allocation_info });
    }
  }
  return out;
}

/** Formats ranges as in Mesos' messages and `/state`: `[31000-31000, 31002-32000]`. */
export function formatRanges(ranges: readonly Range[]): string {
  return `[${ranges.map((r) => `${r.begin}-${r.end}`).join(', ')}]`;
}
