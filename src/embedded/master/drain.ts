/**
 * Operators' calls for agents: deactivate, drain, reactivate and mark gone. The answers and states are those of
 * `Master::Http` in Mesos 1.11.
 */

import type { DrainConfig } from '../wire/agent-link.ts';
import { CallRefused } from '../wire/http.ts';
import { type Agent, type Master, seconds } from './model.ts';
import { requestAllocation, rescindOffers } from './offers.ts';
import { markGone } from './removal.ts';

/** DRAIN_AGENT: stops offers; the agent kills every task. @throws CallRefused */
export async function drainAgent(master: Master, agentId: string, config: DrainConfig): Promise<void> {
  requireKnown(master, agentId);
  master.draining.set(agentId, { state: 'DRAINING', config });
  deactivate(master, agentId);
  await master.ports.saveRegistry();
  const agent = master.agents.get(agentId);
  if (!agent) return;
  master.ports.log(`Transitioning agent ${agentId} to the DRAINING state; it has ${agent.tasks.size} tasks`);
  agent.drainStartTime = seconds(master.ports.now());
  agent.stream?.send({ type: 'DRAIN', config });
  checkDrained(master, agent);
}

/** DEACTIVATE_AGENT: stops offers; tasks continue. @throws CallRefused */
export async function deactivateAgent(master: Master, agentId: string): Promise<void> {
  requireKnown(master, agentId);
  deactivate(master, agentId);
  await master.ports.saveRegistry();
}

/** REACTIVATE_AGENT: resumes offers. @throws CallRefused */
export async function reactivateAgent(master: Master, agentId: string): Promise<void> {
  if (!master.deactivated.has(agentId)) throw new CallRefused(400, 'Agent is not deactivated');
  if (master.draining.get(agentId)?.state === 'DRAINING') {
    throw new CallRefused(400, 'Agent is still in the DRAINING state');
  }
  master.draining.delete(agentId);
  master.deactivated.delete(agentId);
  await master.ports.saveRegistry();
  const agent = master.agents.get(agentId);
  if (!agent) throw new CallRefused(409, 'Agent removed while processing the call');
  master.ports.log(`Reactivating agent ${agentId}`);
  delete agent.drainStartTime;
  requestAllocation(master);
}

/** MARK_AGENT_GONE: takes effect immediately, even with running tasks. @throws CallRefused */
export async function markAgentGone(master: Master, agentId: string): Promise<void> {
  if (master.gone.has(agentId)) return;
  if (!isKnown(master, agentId)) throw new CallRefused(404, `Agent '${agentId}' not found`);
  markGone(master, agentId);
  await master.ports.saveRegistry();
}

/** Marks a draining agent as DRAINED after the acknowledgement of the last update of its last task. */
export function checkDrained(master: Master, agent: Agent): void {
  const info = master.draining.get(agent.id);
  if (info?.state !== 'DRAINING' || agent.tasks.size > 0) return;
  if (info.config.mark_gone) {
    markGone(master, agent.id);
  } else {
    master.ports.log(`Agent ${agent.id} successfully marked as DRAINED`);
    master.draining.set(agent.id, { ...info, state: 'DRAINED' });
  }
  void master.ports.saveRegistry();
}

/** Sends the drain request again to a returning agent. */
export function resendDrain(master: Master, agent: Agent): void {
  const info = master.draining.get(agent.id);
  if (!info) return;
  agent.stream?.send({ type: 'DRAIN', config: info.config });
  checkDrained(master, agent);
}

function deactivate(master: Master, agentId: string): void {
  master.ports.log(`Deactivating agent ${agentId}`);
  master.deactivated.add(agentId);
  rescindOffers(master, (offer) => offer.agentId === agentId);
}

function isKnown(master: Master, agentId: string): boolean {
  return (
    master.agents.has(agentId) || master.recoveredAgents.has(agentId) || master.unreachableAgents.has(agentId)
  );
}

function requireKnown(master: Master, agentId: string): void {
  if (!isKnown(master, agentId)) throw new CallRefused(400, 'Unknown agent');
}
