/** Removes the agent of a dead host from the master, so that its tasks are replaced and it can't return. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { MesosupError, UsageError } from '../../errors/mesosup-error.ts';
import { withClusterLock } from '../edge/cluster-lock.ts';
import type { Problem } from '../plan.ts';
import type { MasterAgent } from '../script/agents-script.ts';
import { addressOf, type FactsByHost } from '../topology.ts';
import { holderName } from './apply-wave.ts';
import { callMaster, masterAgents } from './master-agents.ts';
import { nothingChanged, surveyCluster, UNSAFE } from './prepare.ts';
import type { Session } from './session.ts';

/**
 * @param check returns the problems that prevent the removal
 * @param confirm called with the agent, if the master knows it; false cancels
 * @param afterwards called while this run still holds the cluster's lock
 * @returns false if the user declined
 * @throws UsageError for a host that answers
 */
export async function removeDeadHost(
  session: Session,
  host: ClusterHost,
  confirm: (agent: MasterAgent | undefined) => Promise<boolean>,
  afterwards: () => Promise<void>,
  check: (facts: FactsByHost) => readonly Problem[] = () => [],
): Promise<boolean> {
  const { cluster } = session;
  const { facts, secrets } = await surveyCluster(session);
  if (facts.has(host.name)) {
    throw new UsageError(`${host.name} answers, so it is not dead`, {
      remedy: `Leave out --dead: mesosup node remove ${host.name}`,
    });
  }
  const problems = check(facts);
  if (problems.length > 0) throw nothingChanged(UNSAFE, problems);
  const agents = await masterAgents(session, facts, secrets);
  const [lead] = cluster.hosts.filter(({ name }) => facts.has(name));
  if (agents === undefined || secrets === undefined || lead === undefined) {
    throw new MesosupError(`no Mesos master of ${cluster.name} leads, so the agent can't be removed`, {
      remedy: 'Find the cause with: mesosup status',
    });
  }
  const agent = agentOf(cluster, host, facts, agents);
  if (!(await confirm(agent))) return false;
  await withClusterLock(session.host(lead.name), session.scripts, holderName(), async () => {
    if (agent) {
      const answer = await callMaster(session, facts, secrets, {
        type: 'MARK_AGENT_GONE',
        mark_agent_gone: { agent_id: { value: agent.id } },
      });
      // 404: the master has removed it meanwhile.
      if (![200, 202, 404].includes(answer?.status ?? 0)) {
        throw new MesosupError(
          `the master did not mark the agent ${agent.id} as gone: ${answer ? `${answer.status} ${answer.body.slice(0, 200)}` : 'it does not answer'}`,
          { remedy: 'Run the same command again.' },
        );
      }
    }
    await afterwards();
  });
  return true;
}

/** Finds the agent of an unreachable host. @returns undefined if the master no longer knows it */
export function agentOf(
  cluster: Cluster,
  host: ClusterHost,
  facts: FactsByHost,
  agents: readonly MasterAgent[],
): MasterAgent | undefined {
  // The name of an agent in Mesos is its address, unless the spec names it.
  const names = [host.hostname, addressOf(cluster, host, facts), host.address].filter(
    (one) => one !== undefined,
  );
  const others = new Set(
    cluster.hosts.flatMap((one) => facts.get(one.name)?.addresses.concat(one.hostname ?? []) ?? []),
  );
  const strangers = agents.filter(({ hostname }) => !others.has(hostname));
  const found = strangers.find(({ hostname }) => names.includes(hostname));
  // With one of these, no other agent can be that of the host.
  if (found || host.hostname !== undefined || host.privateAddress !== undefined) return found;
  if (!host.roles.includes('agent')) return undefined;
  const silent = cluster.hosts.filter(({ name, roles }) => !facts.has(name) && roles.includes('agent'));
  // SSH may know the host by another name: then it is the only agent that no host explains.
  return silent.length === 1 && strangers.length === 1 ? strangers[0] : undefined;
}
