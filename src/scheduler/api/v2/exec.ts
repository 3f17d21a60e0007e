/** Exec sessions: `/v2/tasks/{id}/exec` creates one, and a WebSocket on `/v2/exec/{session}` begins it. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { execTargetOf } from '../../decide/tasks/exec-target.ts';
import { fieldErrors } from '../../domain/field-errors.ts';
import type { ExecSessions } from '../../exec/exec-sessions.ts';
import { type Api, type ApiOptions, json } from '../answers.ts';
import { isUpgrade, takeUpgrade } from '../upgrades.ts';
import { invalid } from './answers.ts';
import { exec } from './exec-schemas.ts';

export function addExecRoutes(api: Api, options: ApiOptions): void {
  api.post<{ Params: { id: string } }>('/v2/tasks/:id/exec', async (request, reply) =>
    options.exec ? create(request, reply, options, options.exec) : disabled(reply),
  );
  api.get<{ Params: { session: string } }>(
    '/v2/exec/:session',
    { config: { role: 'operator' } },
    async (request, reply) => {
      if (!options.exec) return disabled(reply);
      if (!isUpgrade(request.raw)) {
        const message = 'An exec session needs a WebSocket: send the headers of RFC 6455';
        return json(reply, { message }, 426, { Upgrade: 'websocket' });
      }
      const refused = await options.exec.begin(request.params.session, request.user?.name, () => {
        reply.hijack();
        return takeUpgrade(request.raw);
      });
      return refused ? json(reply, { message: refused.message }, refused.status) : reply;
    },
  );
}

async function create(
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
  { runner }: ApiOptions,
  sessions: ExecSessions,
): Promise<FastifyReply> {
  const parsed = exec.safeParse(request.body);
  if (!parsed.success) return invalid(reply, fieldErrors(parsed.error));
  const task = request.params.id;
  const target = await runner.read((state) => execTargetOf(state, task));
  if (!target) return json(reply, { message: `Task '${task}' does not exist` }, 404);
  if ('problem' in target) return json(reply, { message: target.problem }, 409);
  const { columns, rows, user, workingDirectory, ...command } = parsed.data;
  const created = sessions.create({
    ...target,
    user: request.user?.name,
    command: {
      task,
      ...command,
      ...(user !== undefined && { user }),
      ...(workingDirectory !== undefined && { workingDirectory }),
      ...(columns !== undefined && rows !== undefined && { size: { columns, rows } }),
    },
  });
  if (typeof created === 'string') return json(reply, { message: created }, 409);
  const { id, expiresAt } = created;
  const url = `/v2/exec/${id}`;
  return json(reply, { id, url, expiresAt: new Date(expiresAt).toISOString() }, 201, { Location: url });
}

function disabled(reply: FastifyReply): FastifyReply {
  return json(reply, { message: 'Exec is turned off on this scheduler (--disable_exec)' }, 403);
}
