/** Connects to the leading scheduler for one exec session. */

import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { EXECUTOR_PROTOCOL, executorPath, type Invitation } from '../exec/control.ts';
import { FrameSocket } from '../exec/frame-socket.ts';
import { readText } from '../mesos/http.ts';
import { createTransport } from '../tls/connect.ts';
import { type ClientTls, tlsForUrl } from '../tls/settings.ts';
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
export async function dialScheduler(
  schedulers: Schedulers,
  tls: ClientTls,
  invitation: Invitation,
): Promise<FrameSocket> {
  const reasons: string[] = [];
  for (const url of schedulers.urls) {
    try {
      return await dial(url, tlsFor(url, schedulers, tls), invitation);
    } catch (error) {
      if (error instanceof SessionRefusedError) throw error;
      reasons.push(`${url.origin}: ${(error as Error).message}`);
    }
  }
  throw new Error(reasons.join('; '));
}

/** The file of the schedulers' addresses may name another CA than that of the agent. */
function tlsFor(url: URL, { ca }: Schedulers, tls: ClientTls): ClientTls {
  const own = url.protocol === 'https:' && ca !== undefined ? { ca } : {};
  return tlsForUrl(url, { ...tls, ...own });
}

async function dial(url: URL, tls: ClientTls, { session, token }: Invitation): Promise<FrameSocket> {
  const { createConnection } = createTransport(tls);
  return await new Promise((resolve, reject) => {
    const outgoing = request({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: executorPath(session),
      headers: { Connection: 'Upgrade', Upgrade: EXECUTOR_PROTOCOL, Authorization: `Bearer ${token}` },
      createConnection,
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
      const refuse = (text: string): void => {
        const status = `status ${answer.statusCode}${text === '' ? '' : `: ${text}`}`;
        reject(answer.statusCode === 403 ? new SessionRefusedError(status) : new Error(status));
        outgoing.destroy();
      };
      // The text says, for example, what is wrong with this executor's certificate.
      readText(answer).then(refuse, () => refuse(''));
    });
    outgoing.end();
  });
}
