/** The hosts of a cluster that `mesosup node list` prints. */

import type { Cluster } from '../cluster/cluster.ts';
import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import type { Facts } from './facts.ts';
import type { RoleHealth } from './health.ts';
import type { Plan, Problem } from './plan.ts';
import type { MasterAgent } from './script/agents-script.ts';
import { type HostStatus, healthOf, statusOf, versionsOf } from './status.ts';
import { addressOf } from './topology.ts';

export interface NodeRow {
  readonly host: string;
  /** The address by which the cluster's members reach it; null when it isn't known. */
  readonly address: string | null;
  /** The address for SSH. */
  readonly ssh: string;
  readonly roles: readonly RoleHealth[];
  readonly healthy: boolean;
  readonly state: HostStatus['state'];
  /** In words: `healthy, leads master`. */
  readonly health: string;
  /** The state of a drain of its agent; `active` without one. */
  readonly duty: MasterAgent['duty'];
  /** In words: `mesos 1.11.0, docker 20.10.24`. */
  readonly versions: string;
  readonly system: string;
  /** Mesos' id of the agent; empty without one. */
  readonly agent: string;
  /** Number of tasks on the agent; null when it isn't known. */
  readonly tasks: number | null;
  /** The reason why it is unreachable, or the run that ended unexpectedly; may be empty. */
  readonly note: string;
}

const NO_PLAN: Plan | undefined = undefined;

/**
 * @param facts by host, without unreachable hosts
 * @param agents of the leading master, if it answered
 */
export function nodesOf(
  cluster: Cluster,
  facts: ReadonlyMap<string, Facts>,
  unreachable: readonly Problem[],
  agents: readonly MasterAgent[] = [],
): NodeRow[] {
  const { hosts } = statusOf(cluster, facts, unreachable, NO_PLAN);
  return cluster.hosts.flatMap((host) => {
    const status = hosts.find((one) => one.host === host.name);
    if (!status) return [];
    const { agent } = facts.get(host.name) ?? {};
    const { duty = 'active' } = agents.find(({ id }) => id === agent?.id) ?? {};
    // An unreachable host has no health, but its roles are known.
    const roles = facts.has(host.name)
      ? status.roles
      : host.roles.map((role): RoleHealth => ({ role, healthy: false, state: 'unreachable', version: '' }));
    return {
      host: host.name,
      address: addressOf(cluster, host, facts) ?? null,
      ssh: host.connection.kind === 'local' ? 'this machine' : host.address,
      roles,
      healthy: status.healthy,
      state: status.state,
      health: [healthOf(status), ...(duty === 'active' ? [] : [duty])].join(', '),
      duty,
      versions: versionsOf(status),
      system: status.system,
      agent: agent?.id ?? '',
      tasks: agent?.tasks ?? null,
      note: status.note,
    };
  });
}

const COLUMNS: readonly Column<NodeRow>[] = [
  { title: 'HOST', cell: ({ host }) => host },
  { title: 'ADDRESS', cell: ({ address }) => address ?? '-' },
  { title: 'SSH', cell: ({ ssh }) => ssh, wide: true },
  {
    title: 'ROLES',
    cell: ({ roles }) => roles.flatMap(({ role }) => (role === 'docker' ? [] : role)).join(' ') || '-',
  },
  { title: 'TASKS', cell: ({ tasks }) => (tasks === null ? '-' : String(tasks)), right: true },
  { title: 'HEALTH', cell: ({ health }) => health },
  { title: 'VERSIONS', cell: ({ versions }) => versions, shrinkTo: 30, drop: 1 },
  { title: 'SYSTEM', cell: ({ system }) => system, wide: true },
  { title: 'AGENT', cell: ({ agent }) => agent || '-', wide: true },
];

export function nodesTable(rows: readonly NodeRow[], options: TableOptions): string {
  return renderTable(COLUMNS, rows, options);
}
