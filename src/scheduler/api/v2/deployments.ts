/** `/v2/deployments`. */

import type { FastifyRequest } from 'fastify';
import { type Api, type ApiOptions, json } from '../answers.ts';
import { flagOf, refused } from './answers.ts';
import { deploy } from './apps.ts';
import { deploymentJson, singleDeploymentJson } from './deployment-views.ts';

type ById = FastifyRequest<{ Params: { id: string } }>;

export function addDeploymentRoutes(api: Api, options: ApiOptions): void {
  const { runner } = options;
  api.get('/v2/deployments', async (_request, reply) =>
    json(
      reply,
      await runner.read((state) => [...state.deployments.values()].map((one) => deploymentJson(state, one))),
    ),
  );
  api.get('/v2/deployments/:id', async (request: ById, reply) => {
    const deploymentId = request.params.id;
    const found = await runner.read((state) => {
      const record = state.deployments.get(deploymentId);
      return record && singleDeploymentJson(state, record);
    });
    return found ? json(reply, found) : refused(reply, { type: 'unknown_deployment', deploymentId });
  });
  // Without force a new deployment reverts the changes; with force the deployment stops where it is.
  api.delete('/v2/deployments/:id', async (request: ById, reply) => {
    const deploymentId = request.params.id;
    if (!flagOf(request, 'force')) {
      return deploy(request, reply, options, [{ op: 'roll_back', deploymentId }]);
    }
    const result = await runner.submit({ type: 'cancel_deployment', deploymentId });
    return result?.type === 'done' ? json(reply, {}, 202) : refused(reply, result);
  });
}
