import type { State } from '../../domain/state.ts';
import type { Decision, Input } from '../inputs.ts';

/**
 * Begins or ends the drain of an agent. The rules of a deployment apply: its tasks are replaced on other agents where
 * there is room, and end when enough others are ready. May be repeated.
 */
export function drainAgent(
  state: State,
  { agentId, drains }: Extract<Input, { type: 'drain_agent' }>,
  at: number,
): Decision {
  const isNews = state.drainingAgents.has(agentId) !== drains;
  return {
    events: isNews ? [{ type: 'agent_drain_changed', agentId, drains, at }] : [],
    calls: [],
    reply: { type: 'done' },
  };
}
