/** `/v2/agents/{id}/drain`: replaces the tasks of an agent before it is drained by Mesos. */

import type { FastifyRequest } from 'fastify';
import { canMove } from '../../domain/rollout.ts';
import { type AppRecord, ownerOf, type State } from '../../domain/state.ts';
import { isCounted, isEnding } from '../../domain/task.ts';
import { type Api, type ApiOptions, json, respond } from '../answers.ts';
import { tasksByAgent } from './agent-list.ts';
import type { AgentDrainJson } from './agent-schemas.ts';

type ById = FastifyRequest<{ Params: { id: string } }>;

export function addAgentRoutes(api: Api, { runner, agents }: ApiOptions): void {
  const url = '/v2/agents/:id/drain';
  api.post(url, async (request: ById, reply) => {
    const agentId = request.params.id;
    const known = await agents.has(agentId, (await runner.read(tasksByAgent)).hosts);
    if (known === false) {
      const message = `There is no agent '${agentId}': GET /v2/agents lists the ids of all agents`;
      return json(reply, { message }, 404);
    }
    if (known !== true) {
      const message = `The scheduler can't check whether the agent '${agentId}' exists, so it was not drained. ${known}; try again in a moment`;
      return json(reply, { message }, 503, { 'Retry-After': '1' });
    }
    await runner.submit({ type: 'drain_agent', agentId, drains: true });
    return json(reply, await runner.read((state) => agentDrainJson(state, agentId)));
  });
  api.get(url, async (request: ById, reply) => {
    const agentId = request.params.id;
    const answer = await runner.read((state) =>
      state.drainingAgents.has(agentId) ? agentDrainJson(state, agentId) : undefined,
    );
    return answer ? json(reply, answer) : json(reply, { message: `Agent '${agentId}' does not drain` }, 404);
  });
  api.delete(url, async (request: ById, reply) => {
    await runner.submit({ type: 'drain_agent', agentId: request.params.id, drains: false });
    return respond(reply, 204, {});
  });
}

/** Describes the progress of a drain. */
export function agentDrainJson(state: State, agentId: string): AgentDrainJson {
  const tasks = [...state.tasks.values()].filter((task) => task.agentId === agentId && isCounted(task));
  const waiting = new Set<string>();
  const moved = new Set<AppRecord>();
  let moving = 0;
  for (const task of tasks) {
    const record = ownerOf(state, task);
    // A task of a removed app ends by itself.
    if (!record || canMove(record.app)) moving += 1;
    if (record && canMove(record.app)) moved.add(record);
    if (record && record.missing > 0 && record.app.mode === 'service') waiting.add(task.appId);
  }
  return {
    agentId,
    moving,
    staying: tasks.length - moving,
    ending: tasks.filter(isEnding).length,
    starting: [...moved].reduce((sum, { current, ready }) => sum + current - ready, 0),
    waiting: [...waiting].sort(),
  };
}
