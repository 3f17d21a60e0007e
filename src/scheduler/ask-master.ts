/** Asks the leading Mesos master for JSON, with the framework's credential. */

import { text } from 'node:stream/consumers';
import { parseJson } from '../json.ts';
import {
  basicAuthorizations,
  type Credential,
  type HttpAnswer,
  type HttpRequest,
  send,
} from '../mesos/http.ts';
import type { Transport } from '../tls/connect.ts';

const WITHIN_MS = 10_000;

export interface MasterAccess {
  /** @returns `host:port` of a master; any master redirects to the leading one */
  readonly detect: () => Promise<string>;
  /** Connects to masters and agents. Default: plain text. */
  readonly transport?: Transport | undefined;
  /** If the masters need one. */
  readonly credential?: Credential;
}

/**
 * @param path with the query
 * @returns the status, and the body; undefined if it is not JSON
 * @throws Error if no master answers
 */
export async function askMaster(
  { detect, transport, credential }: MasterAccess,
  path: string,
  withinMs = WITHIN_MS,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const url = new URL(`${transport?.scheme ?? 'http'}://${await detect()}${path}`);
  const signal = AbortSignal.timeout(withinMs);
  const ask = (headers: HttpRequest['headers'] = {}) =>
    send({ url, transport, method: 'GET', headers, signal });
  const [first, ...others] = credential ? basicAuthorizations(credential) : [];
  let answer: HttpAnswer = await ask(first === undefined ? {} : { Authorization: first });
  for (const Authorization of others) {
    if (answer.status !== 401) break;
    answer.body.resume();
    answer = await ask({ Authorization });
  }
  return { status: answer.status, body: parseJson(await text(answer.body)) };
}
