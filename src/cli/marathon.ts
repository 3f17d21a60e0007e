/** Asks a Marathon, whose API is that of the scheduler. */

import { ApiClient } from '../client/api-client.ts';
import { undefinedIfMissing } from '../client/api-error.ts';
import { httpSend } from '../context/edge/http-send.ts';
import type { Marathon } from '../scheduler/takeover/sources.ts';

const CREDENTIALS = 'Set --credentials-file or --token-file.';
const REMEDIES = { unreachable: 'Check the URL of Marathon.', 401: CREDENTIALS, 403: CREDENTIALS };
const EMBED = ['group.groups', 'group.apps', 'group.pods'];
/** A takeover asks again itself, and finds out whether Marathon has stopped. */
const LIMITS = { patienceMs: 0, answerMs: 60_000 };

/** @param authorization value of the Authorization header */
export function marathonAt(url: string, authorization: string | undefined, send = httpSend()): Marathon {
  const client = new ApiClient({
    ...{ urls: [url], authorization, fetch: send },
    ...{ server: 'Marathon', remedies: REMEDIES },
  });
  return {
    url: client.url,
    async read() {
      const [info, groups, tasks, deployments, queue] = await Promise.all([
        client.call('GET', '/v2/info', {}, LIMITS),
        client.call('GET', '/v2/groups', { query: { embed: EMBED } }, LIMITS),
        client.call('GET', '/v2/tasks', {}, LIMITS),
        client.call('GET', '/v2/deployments', {}, LIMITS),
        client.call('GET', '/v2/queue', {}, LIMITS),
      ]);
      return { info, groups, tasks, deployments, queue };
    },
    version: (id, version) =>
      client
        .call('GET', '/v2/apps/{id}/versions/{version}', { path: { id, version } }, LIMITS)
        .catch(undefinedIfMissing),
    async abdicate() {
      await client.call('DELETE', '/v2/leader', {}, LIMITS);
    },
    at: (address) => marathonAt(`${new URL(url).protocol}//${address}`, authorization, send),
  };
}
