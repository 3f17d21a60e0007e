import type { ApiClient } from '../client/api-client.ts';
import type { TaskJson } from '../scheduler/api/v2/app-schemas.ts';

/** The tasks of an app, or of all apps. @throws ApiError if the app does not exist */
export async function tasksOf(client: ApiClient, app: string | undefined): Promise<readonly TaskJson[]> {
  if (app === undefined) return (await client.call('GET', '/v2/tasks')).tasks;
  return (await client.call('GET', '/v2/apps/{id}/tasks', { path: { id: app } })).tasks;
}
