/** Decides by `--reconfiguration_policy` if an agent may keep its id. Pure. Source: compatibility.cpp of Mesos 1.11. */

import { amountsOf, formatRanges, fromMilli, rangesContain } from '../../mesos/resources.ts';
import type { AgentInfo, Attribute } from '../../mesos/types.ts';
import { formatResources } from '../wire/resource-text.ts';

/**
 * `equal` permits no change, `additive` permits more resources and attributes.
 * @returns the reason why the agent may not keep its id, or undefined
 */
export function findIncompatibility(
  policy: 'equal' | 'additive',
  before: AgentInfo,
  now: AgentInfo,
): string | undefined {
  const change = findReduction(before, now);
  if (policy === 'additive') {
    return change && `Configuration change not permitted under \`additive\` policy: ${change}`;
  }
  if (change === undefined && findReduction(now, before) === undefined) return undefined;
  return `Old agent info:\n${infoText(before)}\nNew agent info:\n${infoText(now)}`;
}

function infoText({ hostname, port, resources, attributes }: AgentInfo): string {
  const attribute = (a: Attribute) => `${a.name}:${valueText(a)}`;
  return JSON.stringify({
    hostname,
    port,
    resources: formatResources(resources ?? []),
    attributes: (attributes ?? []).map(attribute).join('; '),
  });
}

/** Describes the first value that was removed, reduced or changed. */
function findReduction(before: AgentInfo, now: AgentInfo): string | undefined {
  if (before.hostname !== now.hostname) return `Hostname changed from ${before.hostname} to ${now.hostname}`;
  if (before.port !== now.port) return `Port changed from ${before.port} to ${now.port}`;
  return findReducedResource(before, now) ?? findChangedAttribute(before, now);
}

function findReducedResource(before: AgentInfo, now: AgentInfo): string | undefined {
  const old = amountsOf(before.resources ?? []);
  const current = amountsOf(now.resources ?? []);
  for (const [name, milli] of old.scalars) {
    const value = current.scalars.get(name);
    if (value === undefined) return `Resource not found: ${name}:${fromMilli(milli)}`;
    if (value < milli) {
      return `Value of scalar resource '${name}' decreased from ${fromMilli(milli)} to ${fromMilli(value)}`;
    }
  }
  for (const [name, ranges] of old.ranges) {
    const value = current.ranges.get(name);
    if (value === undefined) return `Resource not found: ${name}:${formatRanges(ranges)}`;
    if (!rangesContain(value, ranges)) {
      return (
        `Previous value of range resource '${name}' (${formatRanges(ranges)})` +
        ` not included in current ${formatRanges(value)}`
      );
    }
  }
  return undefined;
}

function findChangedAttribute(before: AgentInfo, now: AgentInfo): string | undefined {
  for (const attribute of before.attributes ?? []) {
    const { name } = attribute;
    const match = now.attributes?.find((a) => a.name === name);
    if (!match) return `Couldn't find attribute ${name}:${valueText(attribute)}`;
    if (match.type !== attribute.type) {
      return `Type of attribute '${name}' changed from ${attribute.type} to ${match.type}`;
    }
    if (valueText(match) !== valueText(attribute)) {
      return (
        `Value of ${attribute.type.toLowerCase()} attribute '${name}' changed` +
        ` from ${valueText(attribute)} to ${valueText(match)}`
      );
    }
  }
  return undefined;
}

function valueText(attribute: Attribute): string {
  if (attribute.type === 'SCALAR') return String(attribute.scalar?.value);
  if (attribute.type === 'RANGES') return formatRanges(attribute.ranges?.range ?? []);
  return attribute.text?.value ?? '';
}
