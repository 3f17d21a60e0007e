/** Requests to a Mesos master or agent. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';

/** A master of a large cluster answers with about 1 MB. */
const MOST_BYTES = 32 * 1024 * 1024;

export interface Reading {
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
  readonly timeoutMs: number;
}

/**
 * Reads JSON. Redirects are not followed: the credentials are for this address only.
 * @throws MesosupError that names the URL
 */
export async function readJson(
  base: string,
  path: string,
  { authorization, timeoutMs }: Reading,
): Promise<unknown> {
  const url = `${base}${path}`;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const headers = { Accept: 'application/json', ...(authorization !== undefined && { authorization }) };
    const answer = await fetch(url, { headers, signal, redirect: 'manual' });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      throw new MesosupError(`${url} answered ${answer.status}${remedyOf(answer.status)}`);
    }
    const value = parseJson(await textOf(answer, url));
    if (value === undefined) throw new MesosupError(`${url} did not answer JSON`);
    return value;
  } catch (error) {
    if (error instanceof MesosupError) throw error;
    const { name, message, cause } = error as Error & { cause?: { code?: string } };
    const why = name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : (cause?.code ?? message);
    throw new MesosupError(`${url}: ${why}`);
  }
}

function remedyOf(status: number): string {
  if (status === 401) return ': set the principal and secret with --credentials-file';
  return status === 403 ? ": Mesos' ACLs do not permit the principal to read this" : '';
}

async function textOf({ body }: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new MesosupError(`${url} answered with more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
