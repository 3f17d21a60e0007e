/** Compares resources of an agent, which are texts: `4`, `[31000-32000]`, `{a,b}`. */

import type { Facts } from './facts.ts';

/**
 * Returns the amount of a resource that Mesos finds by itself: all processors, the memory without a gigabyte or half of
 * it, its default ports. An empty set for resources that Mesos never finds. Undefined for the disk, whose amount
 * depends on the free space.
 */
export function detectedResource(name: string, facts: Facts): string | undefined {
  const megabytes = Math.floor(facts.memoryBytes / 2 ** 20);
  switch (name) {
    case 'cpus':
      return String(facts.cpus);
    case 'mem':
      return String(megabytes > 2048 ? megabytes - 1024 : Math.floor(megabytes / 2));
    case 'ports':
      return '[31000-32000]';
    case 'disk':
      return undefined;
    default:
      return '{}';
  }
}

/** Tells if `more` includes all of `less`. */
export function resourceCovers(more: string, less: string): boolean {
  if (less === '{}' || more === less) return true;
  const [a, b] = [Number(more), Number(less)];
  if (more !== '' && less !== '' && !Number.isNaN(a) && !Number.isNaN(b)) return a >= b;
  const [wide, narrow] = [ranges(more), ranges(less)];
  if (wide && narrow)
    return narrow.every(([from, to]) => wide.some(([low, high]) => low <= from && to <= high));
  const [all, some] = [items(more), items(less)];
  if (all === undefined || some === undefined) return false;
  return some.every((one) => all.includes(one));
}

/** Parses ranges, and joins adjacent ranges. */
function ranges(text: string): [number, number][] | undefined {
  const inner = /^\[(.*)\]$/.exec(text.replaceAll(/\s/g, ''))?.[1];
  if (inner === undefined) return undefined;
  const pairs: [number, number][] = [];
  for (const part of inner.split(',')) {
    const match = /^(\d+)-(\d+)$/.exec(part);
    if (!match) return undefined;
    pairs.push([Number(match[1]), Number(match[2])]);
  }
  const joined: [number, number][] = [];
  for (const [from, to] of pairs.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function items(text: string): string[] | undefined {
  const inner = /^\{(.*)\}$/.exec(text.replaceAll(/\s/g, ''))?.[1];
  return inner?.split(',').filter((one) => one !== '');
}
