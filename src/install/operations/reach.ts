/** Selects the hosts that a run can use when some hosts have errors. */

import type { Cluster, Role } from '../../cluster/cluster.ts';
import { hostsWith } from '../../cluster/topology.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Problem } from '../plan.ts';

export interface Reach {
  /** Names of hosts without an error. */
  readonly usable: readonly string[];
  /** Names of hosts left out because of an error. */
  readonly leftOut: readonly string[];
  /** Reason why the run can't start; empty when it can. */
  readonly blocker: string;
}

/**
 * Leaves out hosts with an error. The run needs a majority of the masters and of the ZooKeeper hosts: without it no
 * service would start.
 */
export function reachOf(cluster: Cluster, problems: readonly Problem[]): Reach {
  const bad = new Set(problems.filter((p) => p.severity === 'error').map((p) => p.host));
  const names = cluster.hosts.map((host) => host.name);
  const usable = names.filter((name) => !bad.has(name));
  const leftOut = names.filter((name) => bad.has(name));
  return {
    usable,
    leftOut,
    blocker: usable.length === 0 ? 'no host is usable' : describeMissingMajority(cluster, bad),
  };
}

function describeMissingMajority(cluster: Cluster, bad: ReadonlySet<string>): string {
  const missing = (role: Role, noun: string): string[] => {
    const all = hostsWith(cluster, role);
    const good = all.filter((host) => !bad.has(host.name)).length;
    if (good > all.length / 2 || all.length === 0) return [];
    return [`only ${good} of ${all.length} ${noun} are usable, which is not a majority`];
  };
  return [...missing('zookeeper', 'ZooKeeper hosts'), ...missing('master', 'masters')].join('; ');
}

/** Makes an error of problems. @param end what follows from them, as the last line */
export function problemsError(problems: readonly Problem[], end: string): MesosupError {
  const many = problems.length > 1;
  return new MesosupError(`${renderProblems(problems)}\n${end}`, {
    // The text of a single problem has its remedy.
    remedy: `Fix the ${many ? 'problems' : 'problem'} above, then run the same command again.`,
    problems,
  });
}

/** Renders problems for people: errors first, each with its remedy. */
export function renderProblems(problems: readonly Problem[]): string {
  return problems
    .toSorted((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'))
    .map(({ host, message, remedy, severity }) => {
      const where = message.startsWith(`${host}:`) ? '' : `${host}: `;
      return `${severity === 'error' ? '✖' : '⚠'} ${where}${message}${remedy === '' ? '' : `\n  → ${remedy}`}`;
    })
    .join('\n');
}
