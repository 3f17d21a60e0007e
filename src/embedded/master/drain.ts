/**
 * What operators do to agents: take them out of the offers, empty them, put them back, give them up for good. The
 * answers and states are those of `Master::Http` in Mesos 1.11.
 */

import type { DrainConfig } from '../wire/agent-link.ts';
import { CallRefused } from '../wire/http.ts';
import { type Agent, type Master, seconds } from './model.ts';
import { requestAllocation, rescindOffers } from './offers.ts';
import { markGone } from './removal.ts';

/** DRAIN_AGENT: no offers, and every task is killed, by the agent. @throws CallRefused */
export async function drainAgent(master: Master, agentId: string, config: DrainConfig): Promise<void> {
  mustBeKnown(master, agentId);
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

/** DEACTIVATE_AGENT: no offers; tasks go on. @throws CallRefused */
export async function deactivateAgent(master: Master, agentId: string): Promise<void> {
  mustBeKnown(master, agentId);
  deactivate(master, agentId);
  await master.ports.saveRegistry();
}

/** REACTIVATE_AGENT: offers again. @throws CallRefused */
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

/** MARK_AGENT_GONE: at once, whatever runs there. @throws CallRefused */
export async function markAgentGone(master: Master, agentId: string): Promise<void> {
  if (master.gone.has(agentId)) return;
  if (!isKnown(master, agentId)) throw new CallRefused(404, `Agent '${agentId}' not found`);
  markGone(master, agentId);
  await master.ports.saveRegistry();
}

/** An agent that is being emptied is DRAINED once its last task's last update is acknowledged. */
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

/** An agent that came back hears again what is wanted of it. */
export function repeatDrain(master: Master, agent: Agent): void {
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

function mustBeKnown(master: Master, agentId: string): void {
  if (!isKnown(master, agentId)) throw new CallRefused(400, 'Unknown agent');
}
