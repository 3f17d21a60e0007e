/** The changes of apps and deployments that the page makes, by the public API. */

import { api } from './live/api.ts';

const AT_ONCE = 4;

interface Forcible {
  /** Replaces running deployments of the same apps. */
  readonly force?: boolean;
}

/** In a single deployment. @throws ApiError */
export async function scaleApps(
  ids: readonly string[],
  instances: number,
  how: Forcible = {},
): Promise<void> {
  await api.call('PATCH', '/v2/apps', { body: ids.map((id) => ({ id, instances })), ...queryFor(how) });
}

/** @throws ApiError of the first app that is refused; the others are restarted */
export async function restartApps(ids: readonly string[], how: Forcible = {}): Promise<void> {
  const left = [...ids];
  let problem: unknown;
  const work = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      await api
        .call('POST', '/v2/apps/{id}/restart', { path: { id }, ...queryFor(how) })
        .catch((error: unknown) => {
          problem ??= error;
        });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (problem !== undefined) throw problem;
}

/** @throws ApiError */
export async function removeApp(id: string, how: Forcible = {}): Promise<void> {
  await api.call('DELETE', '/v2/apps/{id}', { path: { id }, ...queryFor(how) });
}

/** @param scale true: it is not replaced @throws ApiError */
export async function killTask(app: string, task: string, scale: boolean): Promise<void> {
  await api.call('DELETE', '/v2/apps/{id}/tasks/{taskId}', {
    path: { id: app, taskId: task },
    ...(scale && { query: { scale } }),
  });
}

/** Lets the scheduler replace the tasks of an agent on others. @throws ApiError */
export async function drainAgent(id: string): Promise<void> {
  await api.call('POST', '/v2/agents/{id}/drain', { path: { id } });
}

/** @throws ApiError */
export async function endDrain(id: string): Promise<void> {
  await api.call('DELETE', '/v2/agents/{id}/drain', { path: { id } });
}

/** @param from the current version, as the user has seen it @throws ApiError with the status 412 if it is another one by now */
export async function revertApp(
  id: string,
  version: string,
  from: string,
  { force = false }: Forcible = {},
): Promise<void> {
  const query = { ifVersion: from, ...(force && { force }) };
  await api.call('PUT', '/v2/apps/{id}', { path: { id }, body: { version }, query });
}

function queryFor({ force = false }: Forcible): { query?: { force: boolean } } {
  return force ? { query: { force } } : {};
}
