/** Which hosts a run can go on with when not all of them will do. */

import type { Cluster, Role } from '../../cluster/cluster.ts';
import { hostsWith } from '../../cluster/topology.ts';
import type { Problem } from '../plan.ts';

export interface Reach {
  /** Names of hosts that will do. */
  readonly goOn: readonly string[];
  /** Names of those left out, because of an error. */
  readonly leftOut: readonly string[];
  /** Why nothing can be done at all; empty when something can. */
  readonly stop: string;
}

/**
 * A host with an error is left out, and the others go on as long as the masters and ZooKeeper hosts among them can
 * still make a majority: without one nothing would start.
 */
export function reachOf(cluster: Cluster, problems: readonly Problem[]): Reach {
  const bad = new Set(problems.filter((p) => p.severity === 'error').map((p) => p.host));
  const names = cluster.hosts.map((host) => host.name);
  const goOn = names.filter((name) => !bad.has(name));
  const leftOut = names.filter((name) => bad.has(name));
  return { goOn, leftOut, stop: goOn.length === 0 ? 'no host will do' : lacking(cluster, bad) };
}

function lacking(cluster: Cluster, bad: ReadonlySet<string>): string {
  const of = (role: Role, called: string): string[] => {
    const all = hostsWith(cluster, role);
    const good = all.filter((host) => !bad.has(host.name)).length;
    if (good > all.length / 2 || all.length === 0) return [];
    return [`only ${good} of ${all.length} ${called} will do, which is no majority`];
  };
  return [...of('zookeeper', 'ZooKeeper hosts'), ...of('master', 'masters')].join('; ');
}

/** Problems as people read them: errors first, each with its remedy. */
export function renderProblems(problems: readonly Problem[]): string {
  return problems
    .toSorted((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'))
    .map(({ host, message, remedy, severity }) => {
      const where = message.startsWith(`${host}:`) ? '' : `${host}: `;
      return `${severity === 'error' ? '✖' : '⚠'} ${where}${message}${remedy === '' ? '' : `\n  → ${remedy}`}`;
    })
    .join('\n');
}
