/** Asks the leading master of a cluster. */

import { basicAuthorization } from '../../client/api-client.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Masters } from '../context.ts';

const TIMEOUT_MS = 10_000;

/**
 * @param path for example `/slaves`
 * @returns the answer's JSON
 * @throws MesosupError if no master answers
 */
export async function askMaster({ urls, user, password }: Masters, path: string): Promise<unknown> {
  const authorization = user === undefined ? undefined : basicAuthorization(user, password ?? '');
  const problems: string[] = [];
  for (const url of urls) {
    try {
      const answer = await get(url + path, authorization);
      // A master that does not lead answers with the address of the leader, without a scheme.
      const leader = answer.status === 307 ? answer.headers.get('Location') : null;
      const last = leader ? await get(new URL(leader, url).href, authorization) : answer;
      if (last.ok) return await last.json();
      problems.push(`${url} answered ${last.status}`);
    } catch (error) {
      const { cause, message } = error as Error;
      problems.push(`${url} does not answer: ${cause instanceof Error ? cause.message : message}`);
    }
  }
  throw new MesosupError(`no master of the cluster answers: ${problems.join('; ')}`, {
    remedy: 'Run the command on a machine that reaches the masters, as the user who installed the cluster.',
  });
}

function get(url: string, authorization: string | undefined): Promise<Response> {
  return fetch(url, {
    redirect: 'manual',
    headers: { ...(authorization !== undefined && { Authorization: authorization }) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}
