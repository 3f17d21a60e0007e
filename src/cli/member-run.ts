/** Runs that change the members of a cluster: hosts with ZooKeeper, a master or a scheduler. */

import { hostNamed } from '../cluster/choose-hosts.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { LoadedCluster } from '../cluster/edge/load.ts';
import { hostsWith } from '../cluster/topology.ts';
import { Interrupted, UsageError } from '../errors/mesosup-error.ts';
import { type MemberChange, memberProblems } from '../install/member-change.ts';
import { clusterBeforeMaster, clusterWithoutMaster, clusterWithZooKeeper } from '../install/member-steps.ts';
import { copyLog } from '../install/operations/copy-log.ts';
import { removeDeadHost } from '../install/operations/dead-host.ts';
import { nothingChanged } from '../install/operations/prepare.ts';
import { printable } from '../text/printable.ts';
import { type RunFlags, type RunningCommand, runChange } from './change-command.ts';
import type { ChangeReport } from './change-report.ts';
import { withSession } from './cluster-session.ts';
import { confirm } from './confirm.ts';

interface NewHost {
  readonly allowRemove: readonly string[];
  readonly update: boolean;
  readonly bundle: string | undefined;
  /** See `ChangeOptions.before`. */
  readonly before: () => Promise<void>;
}

/**
 * Adds a host in two runs: ZooKeeper joins first, then its other roles. The second master of a cluster without
 * ZooKeeper needs a run before, in which the first one gets a ZooKeeper, and a copy of the log of the first one.
 * @returns the report of the last run
 */
export async function addMember(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
  name: string,
  host: NewHost,
): Promise<ChangeReport> {
  refuseOwnQuorum(loaded);
  const { cluster, state } = loaded;
  const masters = hostsWith(cluster, 'master').filter((one) => one.name !== name);
  const [only] = masters.length === 1 ? masters : [];
  const facts = await withSession(command, loaded, flags, async ({ session }) => {
    const names = [name, ...(only ? [only.name] : [])];
    const survey = await session.survey(await state.secrets(), names);
    if (survey.facts.has(name)) return survey.facts;
    throw nothingChanged({ blocker: `${name} can't be reached` }, survey.unreachable);
  });
  const change: MemberChange = { kind: 'joins', host: name };
  const single = only && clusterWithZooKeeper(cluster, name, facts.get(only.name));
  if (single) {
    command.log(
      `${only.name} gets ZooKeeper first. Its master and scheduler restart, and the state of the scheduler moves to ZooKeeper: for up to a minute no master leads. Tasks continue.`,
    );
  }
  const steps: readonly (readonly [Cluster, MemberChange | undefined])[] = [
    ...(single ? [[single, undefined] as const] : []),
    [clusterBeforeMaster(cluster, name, facts.get(name)), change],
    ...(only && !facts.get(name)?.master.answers
      ? [[clusterWithoutMaster(cluster, name), change] as const]
      : []),
  ];
  let isSure = flags.yes;
  for (const [step, member] of steps) {
    const report = await runMember(
      command,
      { ...loaded, cluster: step },
      { ...flags, yes: isSure },
      member,
      host,
    );
    if (!isComplete(report)) return report;
    isSure ||= report.changes > 0;
  }
  const begin = performance.now();
  const isStopped = only ? await copyTo(command, loaded, { ...flags, yes: isSure }, name, only.name) : false;
  const last = await runMember(command, loaded, { ...flags, yes: isSure || isStopped }, change, host);
  if (isStopped) {
    const seconds = Math.round((performance.now() - begin) / 1000);
    command.log(`No master led for at most ${seconds} s.`);
  }
  return last;
}

/** @returns true if the first master has stopped, and the new one has its log */
function copyTo(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
  name: string,
  first: string,
): Promise<boolean> {
  if (!hostNamed(loaded.cluster, name).roles.includes('master')) return Promise.resolve(false);
  return withSession(command, loaded, flags, async ({ session, screen }) => {
    const question = `Stop the master on ${first}, copy its log to ${name}, and start both?`;
    if (!flags.yes && !(await confirm(question, screen)))
      throw new Interrupted('The new master was not started. Run the same command again to resume.');
    return copyLog(session, name);
  });
}

/** Installs a cluster with other members. The other members and all agents restart one at a time. */
export function runMember(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
  member: MemberChange | undefined,
  { allowRemove, update, bundle, before }: Partial<NewHost> = {},
): Promise<ChangeReport> {
  return runChange(command, loaded, flags, {
    intent: {
      command: 'install',
      start: false,
      ...(member && { member }),
      ...(allowRemove && { allowRemove }),
      ...(update && { update }),
      ...(bundle !== undefined && { bundle }),
    },
    allowAgentReplace: false,
    ...(before && { before }),
  });
}

/** True of a run after which the next one may follow. Hosts with an agent only may be left out. */
export function isComplete({ troubles, declined }: ChangeReport): boolean {
  return troubles.length === 0 && !declined;
}

/**
 * Removes the agent of a dead host from the master.
 * @param next the cluster without the host, and the change of members that leads to it, if the host was one
 * @returns false if the user declined
 */
export function removeDead(
  command: RunningCommand,
  loaded: LoadedCluster,
  host: ClusterHost,
  flags: RunFlags,
  afterwards: () => Promise<void>,
  next?: { readonly loaded: LoadedCluster; readonly change: MemberChange },
): Promise<boolean> {
  return withSession(command, loaded, flags, ({ session, screen }) => {
    const ask = async (agent: { readonly hostname: string } | undefined) => {
      const tasks =
        agent === undefined
          ? 'the master no longer knows its agent'
          : `the tasks of its agent, ${printable(agent.hostname)}, are replaced`;
      return flags.yes || confirm(`Remove ${host.name} for good? (${tasks})`, screen);
    };
    return removeDeadHost(session, host, ask, afterwards, (facts) =>
      next ? memberProblems(next.loaded.cluster, facts, next.change) : [],
    );
  });
}

/** @throws UsageError if the cluster file sets the quorum, which changes with the number of masters */
export function refuseOwnQuorum({ cluster }: LoadedCluster): void {
  const isSet = [cluster, ...cluster.hosts].some(({ masterFlags }) => masterFlags.quorum !== undefined);
  if (!isSet) return;
  throw new UsageError('masterFlags sets the quorum, which changes with the number of masters', {
    remedy:
      'Remove the flag quorum from the cluster file: mesosup then sets it. Then run the same command again.',
  });
}
