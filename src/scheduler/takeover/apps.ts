/** Converts Marathon's definitions to apps with Marathon's versions. */

import * as z from 'zod';
import { isJson, type Json } from '../../json.ts';
import { planChange } from '../decide/deployments/change.ts';
import type { App } from '../domain/app.ts';
import type { FieldError } from '../domain/field-errors.ts';
import type { Settings } from '../domain/settings.ts';
import { createState } from '../domain/state.ts';
import { fieldOf, type Remark, readMarathon } from '../import/marathon.ts';

type Definition = Json & { readonly id: string };

const versions = z.object({
  version: z.string(),
  versionInfo: z
    .object({ lastScalingAt: z.string().optional(), lastConfigChangeAt: z.string().optional() })
    .nullish(),
});

/**
 * @param shown the app as Marathon shows it
 * @returns the features that can't be taken over with a running task
 */
export function findUntakeable(shown: Json): string | undefined {
  const container = isJson(shown.container) ? shown.container : {};
  const docker = isJson(container.docker) ? container.docker : {};
  const volumes = Array.isArray(container.volumes) ? container.volumes.filter(isJson) : [];
  const env = isJson(shown.env) ? Object.values(shown.env) : [];
  if (isJson(shown.residency) || volumes.some(({ persistent }) => isJson(persistent)))
    return 'has persistent volumes';
  const hasSecrets =
    (isJson(shown.secrets) && Object.keys(shown.secrets).length > 0) ||
    env.some((value) => isJson(value) && 'secret' in value) ||
    volumes.some(({ secret }) => typeof secret === 'string') ||
    isJson(docker.pullConfig);
  return hasSecrets ? 'uses secrets' : undefined;
}

/**
 * Converts all apps or none. Every app keeps the containerizer with which Marathon runs it.
 * @param shown the apps as Marathon shows them, by id
 */
export function convertApps(
  definitions: readonly Definition[],
  shown: ReadonlyMap<string, Json>,
  settings: Settings,
  now: number,
): { readonly apps: readonly App[] } | { readonly problems: readonly Remark[] } {
  const all = plan(definitions, settings, now);
  if ('apps' in all) return { apps: all.apps.map((app) => withVersions(app, shown.get(app.id))) };
  const problems = definitions.flatMap((definition) => {
    const alone = plan([definition], settings, now);
    return 'apps' in alone ? [] : alone.errors.map((error) => remarkOf(definition.id, error));
  });
  return { problems: problems.length > 0 ? problems : all.errors.map((error) => remarkOf('/', error)) };
}

/** Converts an earlier definition, for the checks of tasks that still run with it. */
export function convertEarlier(shown: Json, settings: Settings, now: number): App | undefined {
  const planned = plan(readMarathon([shown])?.apps ?? [], settings, now);
  if (!('apps' in planned)) return undefined;
  const [app] = planned.apps;
  const { version } = versions.parse(shown);
  return app && { ...app, version, configVersion: version, scaleVersion: version };
}

function plan(
  definitions: readonly Definition[],
  settings: Settings,
  now: number,
): { readonly apps: readonly App[] } | { readonly errors: readonly FieldError[] } {
  const changes = definitions.map((fields) => {
    return { op: 'update', appId: fields.id, fields, partial: false, upsert: true } as const;
  });
  const state = createState({ ...settings, containerizer: 'docker' });
  const { events, reply } = planChange(state, { type: 'change', changes, force: true, seed: 0 }, now);
  if (reply?.type === 'deployed') {
    return { apps: events.flatMap((event) => (event.type === 'app_changed' ? [event.app] : [])) };
  }
  const errors =
    reply?.type === 'invalid' ? reply.errors : [{ path: [], error: `is refused: ${reply?.type}` }];
  return { errors };
}

function withVersions(app: App, shown: Json | undefined): App {
  const parsed = versions.safeParse(shown);
  if (!parsed.success) return app;
  const { version, versionInfo } = parsed.data;
  return {
    ...app,
    version,
    configVersion: versionInfo?.lastConfigChangeAt ?? version,
    scaleVersion: versionInfo?.lastScalingAt ?? version,
  };
}

function remarkOf(id: string, { path, error }: FieldError): Remark {
  return { id, field: fieldOf(path), why: error };
}
