/** A table of agents. */

import type { AgentsJson } from '../scheduler/api/v2/agent-schemas.ts';
import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import { amount } from './units.ts';

type Agent = AgentsJson['agents'][number];

export function byHost(agents: readonly Agent[]): Agent[] {
  return agents.toSorted((a, b) => (a.host === b.host ? compare(a.id, b.id) : compare(a.host, b.host)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

const COLUMNS: readonly Column<Agent>[] = [
  { title: 'AGENT', cell: ({ host }) => host, shrinkTo: 12 },
  { title: 'STATE', cell: ({ state }) => state, drop: 3 },
  { title: 'TASKS', cell: ({ tasks }) => String(tasks), right: true },
  {
    title: 'CPUS USED',
    cell: ({ used, total }) => share(used?.cpus, total?.cpus),
    right: true,
  },
  { title: 'MIB USED', cell: ({ used, total }) => share(used?.mem, total?.mem), right: true },
  {
    title: 'OFFERED',
    cell: ({ offered }) =>
      offered && offered.cpus > 0 ? `${amount(offered.cpus)} CPUs, ${amount(offered.mem)} MiB` : '-',
    drop: 1,
  },
  { title: 'ATTRIBUTES', cell: attributesText, drop: 2, shrinkTo: 12 },
  { title: 'PORTS', cell: ({ ports }) => ports ?? '-', wide: true },
  { title: 'ID', cell: ({ id }) => id, wide: true },
];

/** Nothing is known of an unknown agent. */
function share(used: number | undefined, total: number | undefined): string {
  return total === undefined ? '-' : `${amount(used ?? 0)}/${amount(total)}`;
}

function attributesText({ attributes }: Agent): string {
  return Object.entries(attributes ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

export function agentsTable(agents: readonly Agent[], options: TableOptions): string {
  return renderTable(COLUMNS, agents, options);
}
