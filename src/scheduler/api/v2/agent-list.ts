/** `/v2/agents`: the agents of the cluster, with what is used, reserved and offered. */

import type { State } from '../../domain/state.ts';
import { type Api, type ApiOptions, json } from '../answers.ts';
import type { AgentsJson } from './agent-schemas.ts';

export function addAgentListRoute(api: Api, { runner, agents }: ApiOptions): void {
  api.get('/v2/agents', async (_request, reply) => {
    const { hosts, counts, draining } = await runner.read(tasksByAgent);
    const { agents: listed, at, problem } = await agents.list(hosts);
    const answer: AgentsJson = {
      agents: listed.map((agent) => {
        const drains = draining.has(agent.id);
        const own = { tasks: counts.get(agent.id) ?? 0, ...(drains && { drains }) };
        if (agent.state === 'active' && drains) return { ...agent, ...own, state: 'draining' };
        if (agent.state !== 'unknown') return { ...agent, ...own };
        const { seenAt, ...known } = agent;
        return { ...known, ...own, ...(seenAt !== undefined && { seenAt: new Date(seenAt).toISOString() }) };
      }),
      at: new Date(at).toISOString(),
      ...(problem !== undefined && { problem }),
    };
    return json(reply, answer);
  });
}

/** @returns the agents of tasks and reservations: their host names, and the numbers of their tasks */
export function tasksByAgent({ tasks, reservations, drainingAgents }: State) {
  const hosts = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const { agentId, host } of reservations.values()) hosts.set(agentId, host);
  for (const { agentId, host } of tasks.values()) {
    hosts.set(agentId, host);
    counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
  }
  // A drain begins here, before Mesos knows of it.
  return { hosts, counts, draining: new Set(drainingAgents) };
}
