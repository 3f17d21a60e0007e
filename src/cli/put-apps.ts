import type { ApiClient } from '../client/api-client.ts';

interface Query {
  readonly force: boolean;
  readonly dryRun?: boolean;
}

/** Creates or replaces these apps in one deployment; other apps stay. With `dryRun`, answers with its plan. */
export function putApps(client: ApiClient, apps: readonly object[], query: Query) {
  return client.call('PUT', '/v2/apps', { query: { ...query, partialUpdate: false }, body: apps });
}
