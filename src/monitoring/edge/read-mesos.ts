/** Requests to a Mesos master or agent. */

import { type IncomingMessage, request } from 'node:http';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';
import { createTransport, TlsError, type Transport } from '../../tls/connect.ts';
import { type ClientTls, tlsForUrl } from '../../tls/settings.ts';

/** A master of a large cluster answers with about 1 MB. */
const MOST_BYTES = 32 * 1024 * 1024;

export interface Reading {
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
  readonly timeoutMs: number;
  readonly connections: MesosConnections;
}

/** @returns the transport for a URL */
export type MesosConnections = (url: URL) => Transport;

/** @param warn called if plain text is used where TLS was tried, and if a changed certificate can't be used */
export function mesosConnections(tls: ClientTls, warn: (message: string) => void): MesosConnections {
  const [plain, secure] = ['http:', 'https:'].map((protocol) =>
    createTransport(tlsForUrl({ protocol }, tls), { onProblem: warn }),
  ) as [Transport, Transport];
  return ({ protocol }) => (protocol === 'https:' ? secure : plain);
}

/**
 * Reads JSON. Redirects are not followed: the credentials are for this address only.
 * @throws MesosupError that names the URL
 */
export async function readJson(
  base: string,
  path: string,
  { authorization, timeoutMs, connections }: Reading,
): Promise<unknown> {
  const url = `${base}${path}`;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await get(new URL(url), authorization, connections, signal);
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new MesosupError(`${url} answered ${answer.statusCode}${remedyOf(answer.statusCode)}`);
    }
    const value = parseJson(await textOf(answer, url));
    if (value === undefined) throw new MesosupError(`${url} did not answer JSON`);
    return value;
  } catch (error) {
    if (signal.aborted) throw new MesosupError(`${url}: no answer within ${timeoutMs} ms`);
    if (error instanceof MesosupError && !(error instanceof TlsError)) throw error;
    const { message, code } = error as NodeJS.ErrnoException;
    throw new MesosupError(`${url}: ${error instanceof TlsError ? message : (code ?? message)}`);
  }
}

function get(
  url: URL,
  authorization: string | undefined,
  connections: MesosConnections,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { createConnection } = connections(url);
    const outgoing = request({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: `${url.pathname}${url.search}`,
      headers: { Accept: 'application/json', ...(authorization !== undefined && { authorization }) },
      createConnection,
      signal,
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function remedyOf(status = 0): string {
  if (status === 401) return ': set the principal and secret with --credentials-file';
  return status === 403 ? ": Mesos' ACLs do not permit the principal to read this" : '';
}

async function textOf(answer: IncomingMessage, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new MesosupError(`${url} answered with more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
