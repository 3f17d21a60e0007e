/** A table of agents, from the answer of the master to `GET /slaves`. */

import { isJson, type Json } from '../json.ts';
import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import { amount } from './units.ts';

export interface Amounts {
  readonly cpus: number;
  /** MiB */
  readonly mem: number;
}

export interface AgentRow {
  readonly id: string;
  readonly host: string;
  readonly active: boolean;
  readonly total: Amounts;
  /** By tasks and executors of all frameworks. */
  readonly used: Amounts;
  /** Offered to frameworks at this moment. */
  readonly offered: Amounts;
  /** Number of tasks of this scheduler. */
  readonly tasks: number;
  readonly ports: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** @param tasks of the scheduler @returns undefined if it is not an answer of a master */
export function agentsOf(
  answer: unknown,
  tasks: readonly { readonly slaveId: string }[],
): AgentRow[] | undefined {
  if (!isJson(answer) || !Array.isArray(answer.slaves)) return undefined;
  return answer.slaves
    .filter(isJson)
    .map(
      (agent): AgentRow => ({
        id: String(agent.id),
        host: String(agent.hostname),
        active: agent.active !== false,
        total: amountsIn(agent.resources),
        used: amountsIn(agent.used_resources),
        offered: amountsIn(agent.offered_resources),
        tasks: tasks.filter(({ slaveId }) => slaveId === agent.id).length,
        ports: isJson(agent.resources) ? String(agent.resources.ports ?? '') : '',
        attributes: isJson(agent.attributes) ? agent.attributes : {},
      }),
    )
    .toSorted((a, b) => (a.host === b.host ? compare(a.id, b.id) : compare(a.host, b.host)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function amountsIn(resources: unknown): Amounts {
  const { cpus, mem }: Json = isJson(resources) ? resources : {};
  return { cpus: Number(cpus ?? 0), mem: Number(mem ?? 0) };
}

const COLUMNS: readonly Column<AgentRow>[] = [
  { title: 'AGENT', cell: ({ host }) => host, shrinkTo: 12 },
  { title: 'STATE', cell: ({ active }) => (active ? 'active' : 'inactive'), drop: 3 },
  { title: 'TASKS', cell: ({ tasks }) => String(tasks), right: true },
  {
    title: 'CPUS USED',
    cell: ({ used, total }) => `${amount(used.cpus)}/${amount(total.cpus)}`,
    right: true,
  },
  { title: 'MIB USED', cell: ({ used, total }) => `${amount(used.mem)}/${amount(total.mem)}`, right: true },
  {
    title: 'OFFERED',
    cell: ({ offered }) =>
      offered.cpus > 0 ? `${amount(offered.cpus)} CPUs, ${amount(offered.mem)} MiB` : '-',
    drop: 1,
  },
  { title: 'ATTRIBUTES', cell: attributesText, drop: 2, shrinkTo: 12 },
  { title: 'PORTS', cell: ({ ports }) => ports, wide: true },
  { title: 'ID', cell: ({ id }) => id, wide: true },
];

function attributesText({ attributes }: AgentRow): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

export function agentsTable(agents: readonly AgentRow[], options: TableOptions): string {
  return renderTable(COLUMNS, agents, options);
}
