/** Finds changes of the masters that could lose entries of their replicated log. */

import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import { hostsWith } from '../cluster/topology.ts';
import { mesosLayout, presentFlag } from './layout.ts';
import type { MemberChange } from './member-change.ts';
import { masterFlags } from './mesos-flags.ts';
import type { Problem } from './plan.ts';
import type { Targets } from './probe-targets.ts';
import { addressOf, type FactsByHost, quorumOf, topologyOf, UnknownAddressError } from './topology.ts';
import { replicatedLog } from './work-dirs.ts';

export function quorumTargets(cluster: Cluster, host: ClusterHost): Targets {
  return { files: [replicatedLog(cluster, host)] };
}

/**
 * A log entry is safe once a quorum of masters has it, so any two quorums must have a master in common at all times.
 * Therefore a run may change either the set of masters or the size of the quorum, a new master needs a quorum of
 * masters that have the log already, and no master may be added while a removed one still runs.
 * @param member the change for which the run is made. A second master has got a copy of the log of the first one, which
 *   has stopped.
 */
export function quorumProblems(cluster: Cluster, facts: FactsByHost, member?: MemberChange): Problem[] {
  const masters = hostsWith(cluster, 'master');
  const first = masters[0];
  const wanted = first && wantedQuorum(cluster, first, facts);
  if (wanted === undefined) return [];
  const problem = (host: string, message: string, remedy: string): Problem => ({
    host,
    check: 'quorum',
    message,
    remedy,
    severity: 'error',
  });
  if (wanted * 2 <= masters.length || wanted > masters.length) {
    const majority = quorumOf(masters.length);
    return [
      problem(
        first?.name ?? '',
        `a quorum of ${wanted} is not safe with ${masters.length} masters: it must be more than half of the masters, and at most all of them`,
        `Remove the flag quorum from the cluster file. mesosup then sets it to ${majority}.`,
      ),
    ];
  }
  const known = cluster.hosts.filter((host) => presentQuorum(cluster, host, facts) !== undefined);
  if (known.length === 0) {
    const needed = initialMasters(wanted);
    if (needed <= masters.length || !masters.every(({ name }) => facts.has(name))) return [];
    return [
      problem(
        first?.name ?? '',
        `with a quorum of ${wanted}, Mesos creates a registry only when ${needed} masters run (twice the quorum, minus one), but the cluster has ${masters.length}`,
        'Use an odd number of masters (1, 3 or 5), and remove the flag quorum from the cluster file.',
      ),
    ];
  }
  const added = masters.filter((host) => !known.includes(host) && facts.has(host.name));
  if (
    member?.kind === 'joins' &&
    hasCopy(cluster, member.host, facts) &&
    added.length === 1 &&
    known.length === 1
  )
    return [];
  const kept = masters.filter((host) => known.includes(host));
  const leaving = known.filter((host) => !masters.includes(host) && runs(cluster, host, facts));
  const quorums = known.map((host) => presentQuorum(cluster, host, facts));
  const present = quorums.find((quorum) => quorum !== wanted);
  const names = (hosts: readonly ClusterHost[]) => hosts.map(({ name }) => name).join(', ');
  if ((added.length > 0 || leaving.length > 0) && present !== undefined) {
    const old = known.length;
    return [
      problem(
        (added[0] ?? leaving[0] ?? first)?.name ?? '',
        `masters (${names([...added, ...leaving])}) and the quorum (from ${present} to ${wanted}) change in the same run`,
        wanted > present
          ? `First install with the present ${old} masters and "quorum: ${wanted}" in masterFlags. Then add the new masters.`
          : `Keep "quorum: ${present}" in masterFlags while you remove masters. Remove it in a second run.`,
      ),
    ];
  }
  if (added.length > 0 && kept.length < wanted) {
    return [
      problem(
        added[0]?.name ?? '',
        `${kept.length} of the present masters stay, but new masters need ${wanted} masters that have the log`,
        'Add or replace fewer masters at once. To grow a cluster with one master, uninstall it with --purge and install it again.',
      ),
    ];
  }
  if (added.length > 0 && leaving.length > 0) {
    return [
      problem(
        added[0]?.name ?? '',
        `${names(added)} would become a master while the removed master on ${names(leaving)} still runs`,
        `Stop the master on ${names(leaving)} first: systemctl disable --now mesos-master`,
      ),
    ];
  }
  return [];
}

function hasCopy(cluster: Cluster, name: string, facts: FactsByHost): boolean {
  const host = cluster.hosts.find((one) => one.name === name);
  return host !== undefined && facts.get(name)?.files[replicatedLog(cluster, host)] !== undefined;
}

/**
 * Returns how many masters must run before Mesos creates a registry: empty replicas of the log wait for all replicas,
 * which they take to be twice the quorum minus one (log/recover.cpp, `--log_auto_initialize`).
 */
function initialMasters(quorum: number): number {
  return 2 * quorum - 1;
}

/**
 * Checks for a cluster whose masters have never run that enough masters are usable to create a registry.
 * @param usable names of hosts
 * @returns the number of masters needed; undefined where enough are usable, or a master has run before
 */
export function mastersNeededToStart(
  cluster: Cluster,
  facts: FactsByHost,
  usable: readonly string[],
): number | undefined {
  if (cluster.hosts.some((host) => presentQuorum(cluster, host, facts) !== undefined)) return undefined;
  const masters = hostsWith(cluster, 'master').filter(({ name }) => usable.includes(name));
  const quorum = masters[0] && wantedQuorum(cluster, masters[0], facts);
  if (quorum === undefined) return undefined;
  const needed = initialMasters(quorum);
  return masters.length < needed ? needed : undefined;
}

function wantedQuorum(cluster: Cluster, host: ClusterHost, facts: FactsByHost): number | undefined {
  const own = facts.get(host.name);
  const address = addressOf(cluster, host, facts);
  if (own === undefined || address === undefined) return undefined;
  try {
    const topology = topologyOf(cluster, facts);
    const flags = masterFlags({
      cluster,
      host,
      facts: own,
      topology,
      layout: mesosLayout(cluster, own),
      address,
    });
    return Number(flags.get('quorum') ?? '1');
  } catch (error) {
    if (error instanceof UnknownAddressError) return undefined;
    throw error;
  }
}

/**
 * Reads the quorum from the files of a host whose master has run, since it may have a part of the log. Without such a
 * file it is 1, as for a single master. Undefined for a host without a master, or whose master has never run.
 */
function presentQuorum(cluster: Cluster, host: ClusterHost, facts: FactsByHost): number | undefined {
  const own = facts.get(host.name);
  if (own === undefined) return undefined;
  const { kind, master } = mesosLayout(cluster, own);
  const hasRun =
    own.files[replicatedLog(cluster, host)] !== undefined || own.services[master.service]?.inputs;
  if (!hasRun || presentFlag(kind, master, own, 'work_dir') === undefined) return undefined;
  return Number(presentFlag(kind, master, own, 'quorum') || '1');
}

function runs(cluster: Cluster, host: ClusterHost, facts: FactsByHost): boolean {
  const own = facts.get(host.name);
  if (own === undefined) return false;
  const state = own.services[mesosLayout(cluster, own).master.service]?.state;
  return state !== undefined && state !== 'stopped';
}
