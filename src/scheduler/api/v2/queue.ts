/** `/v2/queue` and `/v2/apps/{id}/explain`. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { absoluteId } from '../../domain/app-id.ts';
import { type Api, type ApiOptions, json, queriesOf, respond, text } from '../answers.ts';
import { wantsText } from '../views.ts';
import { refused, unknownApp } from './answers.ts';
import { explainJson, explainText, queueJson } from './queue-views.ts';

export function addQueueRoutes(api: Api, { runner, now }: ApiOptions): void {
  api.get('/v2/queue', async (request, reply) => {
    const withOffers = queriesOf(request, 'embed').includes('lastUnusedOffers');
    return json(reply, await runner.read((state) => queueJson(state, now(), withOffers)));
  });
  api.delete('/v2/queue/*', async (request, reply) => {
    const path = absoluteId((request.params as { '*': string })['*']);
    if (!path.endsWith('/delay')) return json(reply, { message: `There is nothing at ${request.url}` }, 404);
    const appId = path.slice(0, -'/delay'.length);
    const result = await runner.submit({ type: 'lift_delay', appId });
    return result?.type === 'done' ? respond(reply, 204, {}) : refused(reply, result);
  });
}

export async function explainApp(
  request: FastifyRequest,
  reply: FastifyReply,
  { runner, now }: ApiOptions,
  appId: string,
): Promise<FastifyReply> {
  const asText = wantsText(request);
  const answer = await runner.read((state) => {
    const record = state.apps.get(appId);
    if (!record) return undefined;
    return asText ? explainText(state, record, now()) : explainJson(state, record, now());
  });
  if (answer === undefined) return unknownApp(reply, appId);
  return typeof answer === 'string' ? text(reply, answer) : json(reply, answer);
}
