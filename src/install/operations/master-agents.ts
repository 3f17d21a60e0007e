/** Asks the leading master for its agents, with one script on its host. */

import type { Secrets } from '../../cluster/secrets.ts';
import { agentsScript, type MasterAgent, parseAgents } from '../script/agents-script.ts';
import { addressOf, type FactsByHost } from '../topology.ts';
import type { Session } from './session.ts';

/** @returns undefined if no master leads, or it does not answer */
export async function masterAgents(
  session: Session,
  facts: FactsByHost,
  secrets: Pick<Secrets, 'operator'> | undefined,
): Promise<MasterAgent[] | undefined> {
  const { cluster } = session;
  const leader = cluster.hosts.find(({ name }) => facts.get(name)?.master.elected);
  const address = leader && addressOf(cluster, leader, facts);
  if (leader === undefined || address === undefined || secrets === undefined) return undefined;
  const script = agentsScript(session.scripts, { address, port: cluster.ports.master }, secrets);
  return parseAgents((await session.host(leader.name).run(script)).stdout);
}
