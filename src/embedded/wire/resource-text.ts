/** Parses and formats resources and attributes: for the agent's flags, Mesos' messages, and `/state`. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import {
  containsHeld,
  fromHeld,
  heldAmounts,
  plainAmounts,
  reservationsOf,
  toEndpointForm,
  toOlderForm,
} from '../../mesos/held.ts';
import {
  type Amounts,
  amountsOf,
  formatRanges,
  fromMilli,
  normalizeRanges,
  toMilli,
} from '../../mesos/resources.ts';
import type { Attribute, Range, ReservationInfo, Resource } from '../../mesos/types.ts';
import { parseResourceJson } from './resource-json.ts';

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

/** Parses `cpus:4;mem:4096;ports:[31000-31099]`, or JSON. Reserved resources and sets are not supported. */
export function parseResources(text: string): Resource[] {
  if (text.trimStart().startsWith('[')) return parseResourceJson(text);
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
    const key = JSON.stringify([
      resource.name,
      resource.type,
      reservationsOf(resource),
      resource.disk,
      resource.allocation_info?.role,
    ]);
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
      const allocated = r.allocation_info ? `(allocated: ${r.allocation_info.role})` : '';
      return `${r.name}${allocated}${reservationsText(reservationsOf(r))}${diskText(r)}:${value}`;
    })
    .join('; ');
}

function reservationsText(reservations: readonly ReservationInfo[]): string {
  if (reservations.length === 0) return '';
  const texts = reservations.map(({ type, role, principal, labels }) => {
    const pairs = labels?.labels.map(({ key, value }) => (value === undefined ? key : `${key}: ${value}`));
    const rest = [
      ...(principal === undefined ? [] : [principal]),
      ...(pairs ? [`{${pairs.join(', ')}}`] : []),
    ];
    return `(${[type ?? 'DYNAMIC', role, ...rest].join(',')})`;
  });
  return `(reservations: [${texts.join(',')}])`;
}

function diskText({ disk }: Resource): string {
  if (!disk) return '';
  const { source, persistence, volume } = disk;
  const root = source?.path?.root ?? source?.mount?.root;
  const from = source && `${source.type}${root === undefined ? '' : `:${root}`}`;
  const parts = [...(from === undefined ? [] : [from]), ...(persistence ? [persistence.id] : [])].join(',');
  return `[${parts}${volume ? `:${volume.container_path}` : ''}]`;
}

/**
 * Converts amounts to resources in the order of a Mesos master's offers: ranges, then scalars.
 * @param form of the reservations: for frameworks with RESERVATION_REFINEMENT, for others, or for operators
 */
export function wireResources(
  amounts: Amounts,
  allocationRole?: string,
  form: 'refined' | 'older' | 'endpoint' = 'endpoint',
): Resource[] {
  return fromHeld(amounts).map((one) => ({
    ...(form === 'refined' ? one : form === 'older' ? toOlderForm(one) : toEndpointForm(one)),
    ...(allocationRole === undefined ? {} : { allocation_info: { role: allocationRole } }),
  }));
}

/** Converts amounts to the form of `/state`: every basic scalar, and ranges as text. */
export function resourceModel(held: Amounts): Record<string, number | string> {
  const amounts = plainAmounts(held);
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
  return !foreign && containsHeld(total, heldAmounts(part));
}
