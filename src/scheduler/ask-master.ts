/** Asks the leading Mesos master for JSON, with the framework's credential. */

import { text } from 'node:stream/consumers';
import { parseJson } from '../json.ts';
import { basicAuthorization, type Credential, send } from '../mesos/http.ts';

const WITHIN_MS = 10_000;

export interface MasterAccess {
  /** @returns `host:port` of a master; any master redirects to the leading one */
  readonly detect: () => Promise<string>;
  /** If the masters need one. */
  readonly credential?: Credential;
}

/**
 * @param path with the query
 * @returns the status, and the body; undefined if it is not JSON
 * @throws Error if no master answers
 */
export async function askMaster(
  { detect, credential }: MasterAccess,
  path: string,
  withinMs = WITHIN_MS,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await send({
    url: new URL(`http://${await detect()}${path}`),
    method: 'GET',
    ...(credential && { headers: { Authorization: basicAuthorization(credential) } }),
    signal: AbortSignal.timeout(withinMs),
  });
  return { status: answer.status, body: parseJson(await text(answer.body)) };
}
