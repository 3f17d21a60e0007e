/** Changes of the masters that could tear their replicated log apart. */

import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import { hostsWith } from '../cluster/topology.ts';
import { mesosLayout, presentFlag } from './layout.ts';
import { masterFlags } from './mesos-flags.ts';
import type { Problem } from './plan.ts';
import type { Targets } from './probe-targets.ts';
import { addressOf, type FactsByHost, topologyOf, UnknownAddressError } from './topology.ts';
import { replicatedLog } from './work-dirs.ts';

export function quorumTargets(cluster: Cluster, host: ClusterHost): Targets {
  return { files: [replicatedLog(cluster, host)] };
}

/**
 * A log entry is safe once a quorum of masters has it, so any two quorums must have a master in common at all times.
 * Therefore one run changes either who is a master or how many make a quorum; who comes must find a quorum that has
 * the log already; and nobody may come while another who goes still runs.
 */
export function quorumProblems(cluster: Cluster, facts: FactsByHost): Problem[] {
  const masters = hostsWith(cluster, 'master');
  const first = masters[0];
  const wanted = first && wantedQuorum(cluster, first, facts);
  if (wanted === undefined) return [];
  const say = (host: string, message: string, remedy: string): Problem => ({
    host,
    check: 'quorum',
    message,
    remedy,
    severity: 'error',
  });
  if (wanted * 2 <= masters.length || wanted > masters.length) {
    const right = Math.floor(masters.length / 2) + 1;
    return [
      say(
        first?.name ?? '',
        `a quorum of ${wanted} is not safe with ${masters.length} masters: it must be more than half of them and at most all`,
        `take the flag quorum out of the spec; it is ${right} then`,
      ),
    ];
  }
  const known = cluster.hosts.filter((host) => presentQuorum(cluster, host, facts) !== undefined);
  if (known.length === 0) {
    const needed = mastersToBegin(wanted);
    if (needed <= masters.length || !masters.every(({ name }) => facts.has(name))) return [];
    return [
      say(
        first?.name ?? '',
        `${masters.length} masters with a quorum of ${wanted} would wait for ${needed}: Mesos begins a registry only once as many masters run as twice the quorum less one`,
        'use an odd number of masters, 1, 3 or 5, and take the flag quorum out of the spec',
      ),
    ];
  }
  const added = masters.filter((host) => !known.includes(host) && facts.has(host.name));
  const kept = masters.filter((host) => known.includes(host));
  const leaving = known.filter((host) => !masters.includes(host) && runs(cluster, host, facts));
  const quorums = known.map((host) => presentQuorum(cluster, host, facts));
  const present = quorums.find((quorum) => quorum !== wanted);
  const names = (hosts: readonly ClusterHost[]) => hosts.map(({ name }) => name).join(', ');
  if ((added.length > 0 || leaving.length > 0) && present !== undefined) {
    const old = known.length;
    return [
      say(
        (added[0] ?? leaving[0] ?? first)?.name ?? '',
        `masters change (${names([...added, ...leaving])}) while the quorum goes from ${present} to ${wanted}`,
        wanted > present
          ? `install with the ${old} masters there are and "quorum: ${wanted}" in masterFlags first, then add the others`
          : `leave "quorum: ${present}" in masterFlags while masters go, and take it out in a second run`,
      ),
    ];
  }
  if (added.length > 0 && kept.length < wanted) {
    return [
      say(
        added[0]?.name ?? '',
        `${kept.length} of the present masters stay, and new ones need ${wanted} that have the log`,
        'add or exchange fewer masters at once; a cluster of one master grows only by uninstalling it with --purge and installing anew',
      ),
    ];
  }
  if (added.length > 0 && leaving.length > 0) {
    return [
      say(
        added[0]?.name ?? '',
        `${names(added)} would become master while ${names(leaving)} still runs as one`,
        `stop the master on ${names(leaving)} first: systemctl disable --now mesos-master`,
      ),
    ];
  }
  return [];
}

/**
 * How many masters have to run before a new registry begins: replicas of the log that are empty wait for all others,
 * and take them for twice the quorum less one (log/recover.cpp, `--log_auto_initialize`).
 */
function mastersToBegin(quorum: number): number {
  return 2 * quorum - 1;
}

/**
 * Of a cluster whose masters never ran: whether too few of them go on for Mesos to begin a registry.
 * @param goOn names of hosts
 * @returns how many masters it takes, undefined where enough go on or some have run before
 */
export function mastersAwaited(
  cluster: Cluster,
  facts: FactsByHost,
  goOn: readonly string[],
): number | undefined {
  if (cluster.hosts.some((host) => presentQuorum(cluster, host, facts) !== undefined)) return undefined;
  const there = hostsWith(cluster, 'master').filter(({ name }) => goOn.includes(name));
  const quorum = there[0] && wantedQuorum(cluster, there[0], facts);
  if (quorum === undefined) return undefined;
  const needed = mastersToBegin(quorum);
  return there.length < needed ? needed : undefined;
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
 * By the files of a host whose master has run: it may have a part of the log. 1 without such a file, as for a master
 * alone. Undefined of a host that is no master, or none that ever ran.
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
