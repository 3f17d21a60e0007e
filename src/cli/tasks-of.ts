import type { ApiClient } from '../client/api-client.ts';
import { ApiError } from '../client/api-error.ts';
import type { TaskJson } from '../scheduler/api/v2/app-schemas.ts';

/** The tasks of an app, or of all apps. @throws ApiError if the app does not exist */
export async function tasksOf(client: ApiClient, app: string | undefined): Promise<readonly TaskJson[]> {
  if (app === undefined) return (await client.call('GET', '/v2/tasks')).tasks;
  return (await client.call('GET', '/v2/apps/{id}/tasks', { path: { id: app } })).tasks;
}

/** The tasks of an app, or the task with this id. @throws ApiError if there is neither */
export async function findTasks(client: ApiClient, target: string): Promise<readonly TaskJson[]> {
  try {
    return await tasksOf(client, target);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    const task = (await tasksOf(client, undefined)).find(({ id }) => id === target);
    if (task) return [task];
    throw error;
  }
}
