/** Connects to the leading scheduler for one exec session. */

import { type IncomingMessage, type RequestOptions, request as requestPlainly } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { EXECUTOR_PROTOCOL, executorPath, type Invitation } from '../exec/control.ts';
import { FrameSocket } from '../exec/frame-socket.ts';
import type { Schedulers } from './schedulers.ts';

const ANSWER_WITHIN_MS = 5000;

/** A scheduler does not know the session, or its token was used already. */
export class SessionRefusedError extends Error {
  override name = 'SessionRefusedError';
}

/**
 * Asks the schedulers in order. A follower forwards the request to the leader.
 * @throws SessionRefusedError, or an Error with every scheduler's reason
 */
export async function dialScheduler(schedulers: Schedulers, invitation: Invitation): Promise<FrameSocket> {
  const reasons: string[] = [];
  for (const url of schedulers.urls) {
    try {
      return await dial(url, schedulers.ca, invitation);
    } catch (error) {
      if (error instanceof SessionRefusedError) throw error;
      reasons.push(`${url.origin}: ${(error as Error).message}`);
    }
  }
  throw new Error(reasons.join('; '));
}

async function dial(url: URL, ca: string | undefined, { session, token }: Invitation): Promise<FrameSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const options: RequestOptions = {
    host,
    path: executorPath(session),
    headers: { Connection: 'Upgrade', Upgrade: EXECUTOR_PROTOCOL, Authorization: `Bearer ${token}` },
    agent: false,
  };
  const isSecure = url.protocol === 'https:';
  // Loaded on demand: most clusters do not need it.
  const request = isSecure ? (await import('node:https')).request : requestPlainly;
  return await new Promise((resolve, reject) => {
    const outgoing = request({
      ...options,
      port: url.port || (isSecure ? 443 : 80),
      ...(isSecure && { servername: isIP(host) ? '' : host, ...(ca !== undefined && { ca }) }),
    });
    const late = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`)),
      ANSWER_WITHIN_MS,
    );
    outgoing.once('close', () => clearTimeout(late));
    outgoing.on('error', reject);
    outgoing.once('upgrade', (_answer, socket, head) => {
      clearTimeout(late);
      resolve(new FrameSocket(socket as Socket, head));
    });
    outgoing.once('response', (answer: IncomingMessage) => {
      answer.resume();
      const status = `status ${answer.statusCode}`;
      reject(answer.statusCode === 403 ? new SessionRefusedError(status) : new Error(status));
      outgoing.destroy();
    });
    outgoing.end();
  });
}
