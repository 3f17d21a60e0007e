/** The status of a cluster that `mesosup status` prints. */

import type { Cluster } from '../cluster/cluster.ts';
import { columns } from '../text/columns.ts';
import { count } from '../text/count.ts';
import type { Facts } from './facts.ts';
import { clusterHealth, type RoleHealth } from './health.ts';
import type { RunFacts } from './host-facts.ts';
import type { Plan, Problem } from './plan.ts';

export interface ClusterStatus {
  readonly cluster: string;
  readonly healthy: boolean;
  readonly problems: readonly string[];
  /** What will become a problem, for example a certificate that ends soon. */
  readonly warnings: readonly string[];
  readonly hosts: readonly HostStatus[];
}

export interface HostStatus {
  readonly host: string;
  readonly roles: readonly RoleHealth[];
  readonly healthy: boolean;
  /** `started`; `installed` for this cluster, but not started; `absent`: not installed; `unreachable`. */
  readonly state: 'started' | 'installed' | 'absent' | 'unreachable';
  /** The name of the operating system; empty when it isn't known. */
  readonly system: string;
  /** Version of the payload; empty without one. */
  readonly mesosup: string;
  /** Number of changes that an install would make; null when it isn't known. */
  readonly drift: number | null;
  /** The reason why it is unreachable, or the run that ended unexpectedly; may be empty. */
  readonly note: string;
  /** The run in progress on it. */
  readonly run?: string;
}

/** @param plan of an install; undefined when none can be made */
export function statusOf(
  cluster: Cluster,
  facts: ReadonlyMap<string, Facts>,
  unreachable: readonly Problem[],
  plan: Plan | undefined,
  warnings: readonly string[] = [],
): ClusterStatus {
  const health = clusterHealth(cluster, facts);
  const hosts = cluster.hosts.map((host) => {
    const found = facts.get(host.name);
    const items = plan?.hosts.find((h) => h.host === host.name)?.items;
    const role = health.hosts.find((h) => h.host === host.name);
    const started = found?.mesosup.cluster === cluster.name && found.mesosup.started;
    return {
      host: host.name,
      roles: role?.roles ?? [],
      healthy: (role?.healthy ?? false) && started,
      state: stateOf(cluster, found),
      system: found?.system.name ?? '',
      mesosup: found?.mesosup.current ?? '',
      drift: found && items ? items.length : null,
      note: noteOf(
        found,
        unreachable.filter((problem) => problem.host === host.name),
      ),
      ...(found?.mesosup.run?.alive && { run: `${describeRun(found.mesosup.run)} is in progress` }),
    };
  });
  return {
    cluster: cluster.name,
    healthy: health.problems.length === 0 && hosts.every((host) => host.healthy),
    problems: health.problems,
    warnings,
    hosts,
  };
}

function stateOf(cluster: Cluster, facts: Facts | undefined): HostStatus['state'] {
  if (!facts) return 'unreachable';
  if (facts.mesosup.cluster !== cluster.name) return 'absent';
  return facts.mesosup.started ? 'started' : 'installed';
}

function noteOf(facts: Facts | undefined, problems: readonly Problem[]): string {
  const run = facts?.mesosup.run;
  const ended = run && !run.alive ? [`${describeRun(run)} ended unexpectedly`] : [];
  return [...problems.map((problem) => problem.message), ...ended].join('; ');
}

function describeRun({ command, who, since }: RunFacts): string {
  return `${command} by ${who} (since ${new Date(since).toISOString()})`;
}

/** Renders a table of the hosts, and below it the problems. */
export function renderStatus(status: ClusterStatus): string {
  const busy = status.hosts.filter((host) => host.run !== undefined);
  const rows = status.hosts.map((host) => [
    host.host,
    host.roles.map((role) => role.role).join(' ') || '-',
    versionsOf(host),
    healthOf(host),
    host.drift === null ? '?' : host.drift === 0 ? 'none' : count(host.drift, 'change'),
  ]);
  const details = status.hosts.flatMap((host) => [
    // A run may still start what is not healthy yet.
    ...host.roles
      .filter((role) => !role.healthy && host.state === 'started' && host.run === undefined)
      .map((role) => `${host.host}: ${role.role} ${role.state}`),
    ...(host.note ? [host.note.startsWith(host.host) ? host.note : `${host.host}: ${host.note}`] : []),
  ]);
  const problems = busy.length > 0 ? [] : status.problems;
  const lines = [
    ...details,
    ...problems.map((problem) => `${status.cluster}: ${problem}`),
    ...status.warnings.map((warning) => `${status.cluster}: ${warning}`),
  ];
  const verdict = status.healthy ? 'is healthy' : 'is not healthy';
  return [
    ...busy.map(({ host, run }) => `${host}: ${run}`),
    columns(['HOST', 'ROLES', 'VERSIONS', 'HEALTH', 'DRIFT'], rows),
    ...(lines.length > 0 ? [lines.join('\n')] : []),
    busy.length > 0 && !status.healthy
      ? `${status.cluster} is being changed. When the run is done, run again: mesosup status`
      : `${status.cluster} ${verdict}`,
  ].join('\n\n');
}

/** Names of the roles' software, if they differ from the role. */
const SOFTWARE: Readonly<Partial<Record<RoleHealth['role'], string>>> = {
  master: 'mesos',
  agent: 'mesos',
  lb: 'haproxy',
};

/** Lists the versions of the host's software: `mesos 1.11.0, zookeeper 3.8.0, docker 20.10.24`. */
export function versionsOf(host: HostStatus): string {
  const versions = new Map<string, string>();
  for (const { role, version } of host.roles) {
    if (version === '') continue;
    versions.set(SOFTWARE[role] ?? role, version);
  }
  if (host.mesosup !== '') versions.set('mesosup', host.mesosup);
  versions.delete('scheduler');
  return [...versions].map(([name, version]) => `${name} ${version}`).join(', ') || '-';
}

export function healthOf(host: HostStatus): string {
  switch (host.state) {
    case 'unreachable':
      return 'unreachable';
    case 'absent':
      return 'not installed';
    case 'installed':
      return 'stopped';
    case 'started': {
      const bad = host.roles.filter((role) => !role.healthy).map((role) => role.role);
      const leads = host.roles.filter((role) => role.state.startsWith('leader')).map((role) => role.role);
      if (bad.length > 0) return `unhealthy: ${bad.join(', ')}`;
      return leads.length > 0 ? `healthy, leads ${leads.join(', ')}` : 'healthy';
    }
  }
}
