/** What the commands for canaries share. */

import { setTimeout as sleep } from 'node:timers/promises';
import { canaryIdOf, canaryOf, sharedLabels } from '../apps/canary-labels.ts';
import type { ApiClient } from '../client/api-client.ts';
import { undefinedIfMissing } from '../client/api-error.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import type { AppJson } from '../scheduler/api/v2/app-schemas.ts';
import { started } from './change-app.ts';
import { type DeployOptions, deploy } from './deploy.ts';

/** Load balancers gather changes, and take some time to make them. */
const SETTLE_MS = 2000;

/** @returns undefined if there is no such app @throws ApiError */
export async function findApp(client: ApiClient, id: string): Promise<AppJson | undefined> {
  const found = await client.call('GET', '/v2/apps/{id}', { path: { id } }).catch(undefinedIfMissing);
  return found?.app;
}

/** @returns undefined without a canary @throws UsageError if another app has its id, ApiError */
export async function findCanary(client: ApiClient, appId: string): Promise<AppJson | undefined> {
  const canary = await findApp(client, canaryIdOf(appId));
  if (canary && !canaryOf(canary)) {
    throw new UsageError(`${canary.id} is an app of its own, not the canary of ${appId}`, {
      remedy: 'A canary needs this name: rename that app.',
    });
  }
  return canary;
}

/** @throws UsageError without a canary, ApiError */
export async function canaryToEnd(client: ApiClient, appId: string): Promise<AppJson> {
  const canary = await findCanary(client, appId);
  if (canary) return canary;
  throw new UsageError(`${appId} has no canary`, {
    remedy: `Start one with: mesosup app canary ${appId.slice(1)} --image IMAGE`,
  });
}

/**
 * Takes the canary out of service, then ends it. Deployments of the canary that run, perhaps for ever, are cancelled.
 * @throws like `deploy`
 */
export async function endCanary(client: ApiClient, canary: AppJson, options: DeployOptions): Promise<void> {
  const { id, version } = canary;
  if (canaryOf(canary)?.share !== 0) {
    const body = { labels: sharedLabels(canary, 0) };
    const query = { force: true, ifVersion: version };
    await client.call('PATCH', '/v2/apps/{id}', { path: { id }, query, body });
    options.say(`${id} gets no new requests.`);
    await sleep(SETTLE_MS);
  }
  await deploy(client, options, async () =>
    started(await client.call('DELETE', '/v2/apps/{id}', { path: { id }, query: { force: true } })),
  );
}
