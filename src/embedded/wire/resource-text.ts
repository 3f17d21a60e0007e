/** Parses and formats resources and attributes: for the agent's flags, Mesos' messages, and `/state`. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import {
  type Amounts,
  amountsOf,
  contains,
  formatRanges,
  fromMilli,
  normalizeRanges,
  toMilli,
} from '../../mesos/resources.ts';
import type { Attribute, Range, Resource } from '../../mesos/types.ts';

function entries(text: string, what: string): [name: string, value: string][] {
  return text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const colon = part.indexOf(':');
      if (colon < 1) throw new MesosupError(`Bad value for ${what}, missing or extra ':' in '${part}'`);
      return [part.slice(0, colon).trim(), part.slice(colon + 1).trim()];
    });
}

function parseRanges(text: string): Range[] | undefined {
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined;
  const inner = text.slice(1, -1).trim();
  if (inner === '') return [];
  return inner.split(',').map((part) => {
    const match = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(part);
    if (!match || Number(match[2]) < Number(match[1])) {
      throw new MesosupError(`Bad range '${part.trim()}' in '${text}', expected first-last`);
    }
    return { begin: Number(match[1]), end: Number(match[2]) };
  });
}

/** Parses `cpus:4;mem:4096;ports:[31000-31099]`. Reserved resources and sets are not supported. */
export function parseResources(text: string): Resource[] {
  return entries(text, 'resources').map(([name, value]) => {
    if (/\(.*\)$/.test(name)) {
      throw new MesosupError(
        `Resource '${name}' is reserved for a role; only unreserved resources are supported`,
      );
    }
    const range = parseRanges(value);
    if (range) return { name, type: 'RANGES', ranges: { range: normalizeRanges(range) } };
    const number = Number(value);
    if (value === '' || !Number.isFinite(number) || number < 0) {
      throw new MesosupError(
        `Bad value '${value}' for resource '${name}', expected a number or [first-last]`,
      );
    }
    return { name, type: 'SCALAR', scalar: { value: fromMilli(toMilli(number)) } };
  });
}

/** Parses `rack:a;level:3`. Numbers become scalars, `[…]` ranges, other values text. */
export function parseAttributes(text: string): Attribute[] {
  return entries(text, 'attributes').map(([name, value]) => {
    const range = parseRanges(value);
    if (range) return { name, type: 'RANGES', ranges: { range: normalizeRanges(range) } };
    if (value !== '' && Number.isFinite(Number(value))) {
      return { name, type: 'SCALAR', scalar: { value: Number(value) } };
    }
    return { name, type: 'TEXT', text: { value } };
  });
}

/** Merges lists of resources. Resources with the same name, type and role are summed, in order of appearance. */
export function mergeResources(...lists: readonly (readonly Resource[])[]): Resource[] {
  const merged = new Map<string, Resource[]>();
  for (const resource of lists.flat()) {
    const key = `${resource.name} ${resource.type} ${resource.role ?? '*'} ${resource.allocation_info?.role}`;
    merged.set(key, [...(merged.get(key) ?? []), resource]);
  }
  return [...merged.values()].map((same) => {
    const first = same[0] as Resource;
    const amounts = amountsOf(same);
    if (first.type === 'SCALAR') {
      return { ...first, scalar: { value: fromMilli(amounts.scalars.get(first.name) ?? 0) } };
    }
    return { ...first, ranges: { range: [...(amounts.ranges.get(first.name) ?? [])] } };
  });
}

/** Formats resources as in Mesos' messages: `cpus(allocated: *):0.5; ports(allocated: *):[31000-31000]`. */
export function formatResources(resources: readonly Resource[]): string {
  return resources
    .map((r) => {
      const value =
        r.type === 'SCALAR'
          ? String(fromMilli(toMilli(r.scalar?.value ?? 0)))
          : formatRanges(r.ranges?.range ?? []);
      return `${r.name}${r.allocation_info ? `(allocated: ${r.allocation_info.role})` : ''}:${value}`;
    })
    .join('; ');
}

/** Converts amounts to unreserved resources in the order of a Mesos master's offers: ranges, then scalars. */
export function wireResources(amounts: Amounts, allocationRole?: string): Resource[] {
  const rest = {
    role: '*',
    ...(allocationRole === undefined ? {} : { allocation_info: { role: allocationRole } }),
  };
  const out: Resource[] = [];
  for (const [name, ranges] of amounts.ranges) {
    if (ranges.length > 0) out.push({ name, type: 'RANGES', ranges: { range: [...ranges] }, ...rest });
  }
  for (const [name, milli] of amounts.scalars) {
    if (milli !== 0) out.push({ name, type: 'SCALAR', scalar: { value: fromMilli(milli) }, ...rest });
  }
  return out;
}

/** Converts amounts to the form of `/state`: every basic scalar, and ranges as text. */
export function resourceModel(amounts: Amounts): Record<string, number | string> {
  const model: Record<string, number | string> = { disk: 0, mem: 0, gpus: 0, cpus: 0 };
  for (const [name, milli] of amounts.scalars) model[name] = fromMilli(milli);
  for (const [name, ranges] of amounts.ranges) if (ranges.length > 0) model[name] = formatRanges(ranges);
  return model;
}

export function attributeModel(
  attributes: readonly Attribute[] | undefined,
): Record<string, number | string> {
  const model: Record<string, number | string> = {};
  for (const a of attributes ?? []) {
    model[a.name] =
      a.type === 'SCALAR'
        ? (a.scalar?.value ?? 0)
        : a.type === 'RANGES'
          ? formatRanges(a.ranges?.range ?? [])
          : (a.text?.value ?? '');
  }
  return model;
}

/** True if `total`, all allocated to `role`, contains `part`. Resources of another role are never contained. */
export function coversForRole(role: string, total: Amounts, part: readonly Resource[]): boolean {
  const foreign = part.some((r) => r.allocation_info !== undefined && r.allocation_info.role !== role);
  return !foreign && contains(total, amountsOf(part));
}
