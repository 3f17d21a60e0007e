/** Asks the leading master about its agents, with one script on its host. */

import type { OperatorSecret } from '../operator.ts';
import { type MasterAgent, masterScript, parseAgents } from '../script/agents-script.ts';
import { type HttpAnswer, parseAnswer, splitAnswer } from '../script/http-request.ts';
import { addressOf, type FactsByHost } from '../topology.ts';
import type { Session } from './session.ts';

/** @returns undefined if no master leads, or it does not answer */
export async function masterAgents(
  session: Session,
  facts: FactsByHost,
  secrets: OperatorSecret | undefined,
): Promise<MasterAgent[] | undefined> {
  const printed = secrets && (await ask(session, facts, secrets, { method: 'GET', path: '/slaves' }));
  return printed === undefined ? undefined : parseAgents(printed);
}

/** Sends an operator's call. @returns undefined if no master leads */
export async function callMaster(
  session: Session,
  facts: FactsByHost,
  secrets: OperatorSecret,
  call: { readonly type: string } & Readonly<Record<string, unknown>>,
): Promise<HttpAnswer | undefined> {
  const body = JSON.stringify(call);
  const printed = await ask(session, facts, secrets, { method: 'POST', path: '/api/v1', body });
  return printed === undefined ? undefined : parseAnswer(splitAnswer(printed).text);
}

async function ask(
  session: Session,
  facts: FactsByHost,
  secrets: OperatorSecret,
  request: Parameters<typeof masterScript>[3],
): Promise<string | undefined> {
  const { cluster } = session;
  const leader = cluster.hosts.find(({ name }) => facts.get(name)?.master.elected);
  const address = leader && addressOf(cluster, leader, facts);
  if (leader === undefined || address === undefined) return undefined;
  const script = masterScript(session.scripts, { address, port: cluster.ports.master }, secrets, request);
  return (await session.host(leader.name).run(script)).stdout;
}
