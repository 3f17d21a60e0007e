/** `GET /v2/tasks/{id}/log`: the output of a task, as text or as server-sent events. */

import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { parseSince, SINCE_FORM } from '../../../text/since.ts';
import { AgentError } from '../../sandbox/agent-addresses.ts';
import { decodePositions, encodePositions, type Positions, STREAMS } from '../../sandbox/log-position.ts';
import { NoTimesError } from '../../sandbox/log-since.ts';
import { type LogPiece, positionsOf, readLogs } from '../../sandbox/log-stream.ts';
import type { LogRequest } from '../../sandbox/task-logs.ts';
import { isLive } from '../../sandbox/task-place.ts';
import { type Api, type ApiOptions, BadRequestError, json, queryOf } from '../answers.ts';
import { closedSignal, writeAll } from '../write-all.ts';
import { flagOf, invalid, unknownTask } from './answers.ts';

type ById = FastifyRequest<{ Params: { id: string } }>;

const MAX_LINES = 100_000;
const KEEP_ALIVE_MS = 10_000;
/** Clocks differ, so a time may be in the future a little. */
const CLOCKS_MS = 60_000;

export function addTaskLogRoute(api: Api, { runner, logs, now = Date.now, onError }: ApiOptions): void {
  // A HEAD request could follow for ever.
  api.get('/v2/tasks/:id/log', { exposeHeadRoute: false }, async (request: ById, reply) => {
    const { id } = request.params;
    const wanted = logRequestOf(request, now());
    const follow = flagOf(request, 'follow');
    const place = await runner.read((state) => logs.placeOf(state, id));
    if (!place) return unknownTask(reply, id);
    if (!logs.addReader()) {
      return json(reply, { message: 'Too many clients read logs' }, 503, { 'Retry-After': '10' });
    }
    try {
      const opened = await logs.open(place, wanted);
      reply.hijack();
      const asEvents = wantsEvents(request);
      const signal = closedSignal(reply.raw);
      const pieces = readLogs({
        logs: opened,
        follow,
        byLines: asEvents || opened.size > 1,
        hasEnded: async () => !(await runner.read((state) => isLive(state, id))),
        signal,
      });
      if (asEvents) await writeEvents(reply.raw, positionsOf(opened), pieces, signal);
      else await writeText(reply.raw, pieces, signal);
      return reply;
    } catch (error) {
      if (error instanceof NoTimesError) return invalid(reply, [{ path: ['since'], error: error.message }]);
      if (!(error instanceof AgentError)) onError(`the log of ${id} could not be read`, error);
      if (reply.raw.headersSent) reply.raw.destroy();
      else if (error instanceof AgentError) return json(reply, { message: error.message }, error.statusCode);
      else throw error;
      return reply;
    } finally {
      logs.removeReader();
    }
  });
}

/** @throws BadRequestError */
function logRequestOf(request: FastifyRequest, now: number): LogRequest {
  const stream = queryOf(request, 'stream') ?? 'both';
  const streams = stream === 'both' ? STREAMS : STREAMS.filter((one) => one === stream);
  if (streams.length === 0) {
    throw new BadRequestError(`stream is '${stream}': expected stdout, stderr or both`);
  }
  const tail = queryOf(request, 'tail');
  if (tail !== undefined && !(/^\d{1,6}$/.test(tail) && Number(tail) <= MAX_LINES)) {
    throw new BadRequestError(`tail is '${tail}': expected a whole number from 0 to ${MAX_LINES}`);
  }
  const since = sinceOf(request, now);
  const id = request.headers['last-event-id'];
  const positions = id === undefined || id === '' ? undefined : decodePositions(String(id));
  if (id !== undefined && id !== '' && !positions) {
    throw new BadRequestError('Last-Event-ID is not the id of an event of a log');
  }
  return {
    streams,
    ...(tail !== undefined && { tail: Number(tail) }),
    ...(since !== undefined && { since }),
    ...(positions && { positions }),
  };
}

/** @throws BadRequestError */
function sinceOf(request: FastifyRequest, now: number): number | undefined {
  const text = queryOf(request, 'since');
  if (text === undefined) return undefined;
  const since = parseSince(text, now);
  if (since === undefined) throw new BadRequestError(`since is '${text}': expected ${SINCE_FORM}`);
  if (since > now + CLOCKS_MS) throw new BadRequestError(`since is '${text}', which is in the future`);
  return since;
}

function wantsEvents({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').toLowerCase().includes('text/event-stream');
}

const NEWLINE = Buffer.from('\n');

const HEADERS = {
  'Cache-Control': 'no-cache',
  // Programs write what they like: browsers must not take it for a page.
  'X-Content-Type-Options': 'nosniff',
};

/** Writes the bytes unchanged. Only a line that has no end yet gets one when a line of the other stream follows it. */
async function writeText(
  raw: ServerResponse,
  pieces: AsyncIterable<LogPiece>,
  signal: AbortSignal,
): Promise<void> {
  raw.writeHead(200, { 'Content-Type': 'text/plain', ...HEADERS });
  raw.flushHeaders();
  let last: LogPiece | undefined;
  for await (const piece of pieces) {
    if (last && last.stream !== piece.stream && last.bytes.at(-1) !== NEWLINE.at(0))
      await writeAll(raw, NEWLINE, signal);
    await writeAll(raw, piece.bytes, signal);
    last = piece;
  }
  raw.end();
}

/**
 * Writes an event for each piece, of complete lines where possible. The ids resume, on another scheduler too. The last
 * event is `end`, or `error`.
 */
async function writeEvents(
  raw: ServerResponse,
  start: Positions,
  pieces: AsyncIterable<LogPiece>,
  signal: AbortSignal,
): Promise<void> {
  raw.writeHead(200, { 'Content-Type': 'text/event-stream', ...HEADERS });
  // Until the first event comes, a client that resumes continues at the start.
  raw.write(`id: ${encodePositions(start)}\n\n`);
  const keepAlive = setInterval(() => raw.write(':\n\n'), KEEP_ALIVE_MS);
  const write = (event: string, data: object, id?: string) => {
    const ending = id === undefined ? '' : `id: ${id}\n`;
    return writeAll(raw, `event: ${event}\ndata: ${JSON.stringify(data)}\n${ending}\n`, signal);
  };
  try {
    for await (const { stream, bytes, lost, positions } of pieces) {
      const data = { text: bytes.toString('utf8'), ...(lost && { lost }) };
      await write(stream, data, encodePositions(positions));
    }
    await write('end', {});
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    await write('error', { message: error.message });
  } finally {
    clearInterval(keepAlive);
  }
  raw.end();
}
