/** Fields of an agent that constraints can refer to. */

import { fromMilli, toMilli } from '../../../mesos/resources.ts';
import type { Attribute, Offer } from '../../../mesos/types.ts';
import type { App } from '../../domain/app.ts';

export type Fields = Readonly<Record<string, string>>;

/** The part of an offer that describes its agent. */
export type AgentFacts = Pick<Offer, 'hostname' | 'domain' | 'attributes'>;

/** Reads the values of the constraints' fields from an offer. Missing fields are left out. */
export function fieldsOf(app: Pick<App, 'constraints'>, offer: AgentFacts): Fields {
  const fields: Record<string, string> = {};
  for (const [field] of app.constraints) {
    const value = fieldOf(field, offer);
    if (value !== undefined) fields[field] = value;
  }
  return fields;
}

/** Checks for own properties, since a field may have a name such as `constructor`. */
export function readField(fields: Fields, field: string): string | undefined {
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}

function fieldOf(field: string, { hostname, domain, attributes }: AgentFacts): string | undefined {
  switch (field) {
    case 'hostname':
    case '@hostname':
      return hostname;
    case '@region':
      return domain?.fault_domain?.region.name;
    case '@zone':
      return domain?.fault_domain?.zone.name;
    default: {
      const attribute = attributes?.find(({ name }) => name === field);
      return attribute && textOf(attribute);
    }
  }
}

/** Formats an attribute as Marathon does for comparisons. */
function textOf({ text, scalar, ranges, set }: Attribute): string | undefined {
  if (text) return text.value;
  if (scalar) return String(fromMilli(toMilli(scalar.value)));
  if (ranges) {
    const sorted = ranges.range.toSorted((a, b) => a.begin - b.begin);
    return `[${sorted.map(({ begin, end }) => `${begin}-${end}`).join(',')}]`;
  }
  return set && `{${set.item.toSorted().join(',')}}`;
}
