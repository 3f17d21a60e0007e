/** `GET /v2/tasks/{id}/files`: lists a directory of a task's sandbox, or reads a file in it. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Found, MAX_BYTES } from '../../../exec/files.ts';
import { AgentError } from '../../sandbox/agent-addresses.ts';
import type { FileRange } from '../../sandbox/task-files.ts';
import { type Api, type ApiOptions, BadRequestError, json, queryOf } from '../answers.ts';
import { closedSignal, writeAll } from '../write-all.ts';
import { invalid, unknownTask } from './answers.ts';
import type { TaskFilesJson } from './task-files-schemas.ts';

type ById = FastifyRequest<{ Params: { id: string } }>;

type FoundFile = Extract<Found, { type: 'file' }>;

export function addTaskFilesRoute(api: Api, { runner, logs, files }: ApiOptions): void {
  const options = { exposeHeadRoute: false, config: { role: 'operator' } } as const;
  api.get('/v2/tasks/:id/files', options, async (request: ById, reply) => {
    const { id } = request.params;
    const path = queryOf(request, 'path') ?? '';
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    if (path.startsWith('/') || names.includes('..') || path.includes('\0')) {
      const error = "must be relative to the task's sandbox, without .. and NUL";
      return invalid(reply, [{ path: ['path'], error }]);
    }
    const range = { offset: countOf(request, 'offset') ?? 0, length: countOf(request, 'length') ?? Infinity };
    const place = await runner.read((state) => logs.placeOf(state, id));
    if (!place) return unknownTask(reply, id);
    const read = (part: FileRange) => files.read(place, names, part);
    try {
      const found = await read({ offset: range.offset, length: Math.min(range.length, MAX_BYTES) });
      switch (found.type) {
        case 'missing':
          return json(
            reply,
            { message: `There is no file '${path}' in the sandbox of the task '${id}'` },
            404,
          );
        case 'refused':
          return invalid(reply, [{ path: ['path'], error: found.message }]);
        case 'directory':
          return json(reply, listing(path, found));
        case 'file':
          return await sendFile(reply, found, range, read);
      }
    } catch (error) {
      if (error instanceof AgentError && !reply.raw.headersSent) {
        return json(reply, { message: error.message }, error.statusCode);
      }
      if (!reply.raw.headersSent) throw error;
      // The client sees from Content-Length that the rest is missing.
      reply.raw.destroy();
      return reply;
    }
  });
}

function listing(path: string, { entries, more }: Extract<Found, { type: 'directory' }>): TaskFilesJson {
  return {
    path,
    entries: entries.map(({ modifiedAt, ...entry }) => ({
      ...entry,
      modifiedAt: new Date(modifiedAt).toISOString(),
    })),
    ...(more && { more }),
  };
}

/** Sends the file as large as it is now, in parts, as fast as the client takes them. */
async function sendFile(
  reply: FastifyReply,
  first: FoundFile,
  { offset, length }: FileRange,
  read: (part: FileRange) => Promise<Found>,
): Promise<FastifyReply> {
  const { raw } = reply;
  const total = Math.max(0, Math.min(length, first.size - offset));
  reply.hijack();
  raw.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': total,
    // Tasks write what they like: browsers must neither show nor interpret it.
    'Content-Disposition': 'attachment',
    'X-Content-Type-Options': 'nosniff',
  });
  const signal = closedSignal(raw);
  let sent = 0;
  for (let part: Found = first; ; ) {
    if (part.type !== 'file' || part.bytes.length === 0) break;
    const bytes = part.bytes.subarray(0, total - sent);
    await writeAll(raw, bytes, signal);
    sent += bytes.length;
    if (sent === total || signal.aborted) break;
    part = await read({ offset: offset + sent, length: Math.min(total - sent, MAX_BYTES) });
  }
  if (sent === total) raw.end();
  else raw.destroy();
  return reply;
}

/** @throws BadRequestError */
function countOf(request: FastifyRequest, name: string): number | undefined {
  const value = queryOf(request, name);
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new BadRequestError(`${name} is '${value}': expected a whole number from 0`);
}
