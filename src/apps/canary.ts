/**
 * Canaries: a second app beside an app, with a new definition and a share of the requests. Its labels hold all
 * of its state (canary-labels.ts).
 */

import { isJson, type Json } from '../json.ts';
import type { AppJson } from '../scheduler/api/v2/app-schemas.ts';
import { matchingPorts } from '../scheduler/domain/matching-ports.ts';
import { SHARE_LABEL } from '../scheduler/domain/share-label.ts';
import { definitionFields } from './apply-plan.ts';
import { BASE_LABEL, canaryIdOf, canaryOf, GROUP_LABEL, isOwn, sharedLabels } from './canary-labels.ts';
import { differencesOf } from './difference.ts';

export interface CanaryApp {
  readonly id: string;
  readonly instances: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly versionInfo: { readonly lastConfigChangeAt: string };
}

/** What a canary has instead of the app's. */
export interface CanaryChanges {
  readonly image?: string | undefined;
  readonly cmd?: string | undefined;
  readonly cpus?: number | undefined;
  readonly mem?: number | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** @returns why there can be no canary; undefined if there can */
export function canaryProblem(app: CanaryApp & Json): string | undefined {
  if (canaryOf(app)) return 'is a canary itself';
  if (app.labels[GROUP_LABEL] !== undefined) return 'already has the label HAPROXY_DEPLOYMENT_GROUP';
  if (app.mode !== undefined && app.mode !== 'service') return `is a ${app.mode}, which serves no requests`;
  const container = isJson(app.container) ? app.container : {};
  const volumes = Array.isArray(container.volumes) ? container.volumes.filter(isJson) : [];
  if (volumes.some(({ persistent }) => persistent !== undefined)) {
    return "has persistent volumes, which a second app can't share";
  }
  const ports = [container.portMappings, app.portDefinitions].flatMap((one) =>
    Array.isArray(one) ? one : [],
  );
  return ports.length > 0 ? undefined : 'has no port, so no load balancer divides its requests';
}

/** Enough instances for the share, at least one. */
export function canaryInstances(instances: number, share: number): number {
  return Math.max(1, Math.ceil((instances * share) / 100));
}

/**
 * The definition of a canary.
 * @param base the app's definition, or another one from a file
 */
export function newCanary(
  app: CanaryApp,
  base: Json,
  changes: CanaryChanges,
  { instances, share }: { readonly instances: number; readonly share: number },
): Json {
  const labels = isJson(base.labels) ? base.labels : {};
  const made = changed(definitionFields(base), changes);
  return withPorts(
    {
      ...made,
      id: canaryIdOf(app.id),
      instances,
      labels: {
        ...labels,
        [GROUP_LABEL]: app.id.slice(app.id.lastIndexOf('/') + 1),
        [SHARE_LABEL]: String(share),
        [BASE_LABEL]: app.versionInfo.lastConfigChangeAt,
      },
    },
    // The service port of the canary is not served: the scheduler chooses a free one.
    () => 0,
  );
}

/** The definition of a canary that exists, with changes. @param file a definition to use instead @param share if it changes too */
export function changedCanary(
  canary: CanaryApp & Json,
  file: Json | undefined,
  changes: CanaryChanges,
  share?: number,
): Json {
  const { id, instances } = canary;
  const labels = share === undefined ? canary.labels : sharedLabels(canary, share);
  const base = definitionFields(file ?? canary);
  const own = Object.fromEntries(Object.entries(labels).filter(([name]) => isOwn(name)));
  const others = isJson(base.labels) ? base.labels : {};
  return portsOf(canary, { ...changed(base, changes), id, instances, labels: { ...others, ...own } });
}

/** The definition that the app gets from its canary. */
export function promoted(app: CanaryApp & Json, canary: CanaryApp & Json): Json {
  const labels = Object.fromEntries(Object.entries(canary.labels).filter(([name]) => !isOwn(name)));
  const { id, instances } = app;
  return portsOf(app, { ...definitionFields(canary), id, instances, labels });
}

/** True if the app already has the definition of its canary. */
export function isPromoted(app: CanaryApp & Json, canary: CanaryApp & Json): boolean {
  return differencesOf(definitionFields(app), promoted(app, canary)).length === 0;
}

/** The number of instances of an app that are not ready with its latest definition. */
export function instancesToCome({
  instances,
  healthChecks,
  taskStats,
}: Pick<AppJson, 'instances' | 'healthChecks' | 'taskStats'>): number {
  const { running = 0, healthy = 0 } = taskStats?.withLatestConfig?.stats.counts ?? {};
  return Math.max(0, instances - (healthChecks.length > 0 ? healthy : running));
}

/** True if the app got another definition after its canary was made, except for the number of instances. */
export function isOutdated(app: CanaryApp, canary: CanaryApp): boolean {
  return canary.labels[BASE_LABEL] !== app.versionInfo.lastConfigChangeAt;
}

function changed(definition: Json, { image, cmd, cpus, mem, env }: CanaryChanges): Json {
  const { args, ...rest } = definition;
  const container = isJson(definition.container) ? definition.container : {};
  const docker = isJson(container.docker) ? container.docker : {};
  return {
    ...rest,
    // A shell command replaces both.
    ...(cmd === undefined ? args !== undefined && { args } : { cmd }),
    ...(cpus !== undefined && { cpus }),
    ...(mem !== undefined && { mem }),
    ...(Object.keys(env).length > 0 && { env: { ...(isJson(definition.env) && definition.env), ...env } }),
    ...(image !== undefined && { container: { ...container, docker: { ...docker, image } } }),
  };
}

/** With the service ports of another app. Ports are the same if they have the same name, or else the same position. */
function portsOf(app: Json, definition: Json): Json {
  const container = isJson(app.container) ? app.container : {};
  return withPorts(definition, (i, list, name, ports) => {
    const before: unknown = (list === 'portMappings' ? container : app)[list];
    if (!Array.isArray(before)) return 0;
    const named = (port: unknown) => {
      const own = isJson(port) ? port.name : undefined;
      return { servicePort: 0, name: typeof own === 'string' ? own : undefined };
    };
    const found = matchingPorts(ports.map(named), before.map(named))[i];
    const port: unknown = found === undefined ? undefined : before[found];
    return isJson(port) ? Number(port[name] ?? 0) : 0;
  });
}

type PortOf = (
  i: number,
  list: 'portMappings' | 'portDefinitions',
  name: 'servicePort' | 'port',
  ports: readonly unknown[],
) => number;

function withPorts(definition: Json, portOf: PortOf): Json {
  const { container, portDefinitions, requirePorts } = definition;
  const mappings = isJson(container) && Array.isArray(container.portMappings) ? container.portMappings : [];
  return {
    ...definition,
    ...(isJson(container) &&
      mappings.length > 0 && {
        container: {
          ...container,
          portMappings: mappings.map((one: object, i) => ({
            ...one,
            servicePort: portOf(i, 'portMappings', 'servicePort', mappings),
          })),
        },
      }),
    // With requirePorts they are ports of the agent.
    ...(Array.isArray(portDefinitions) &&
      portDefinitions.length > 0 &&
      requirePorts !== true && {
        portDefinitions: portDefinitions.map((one: object, i) => ({
          ...one,
          port: portOf(i, 'portDefinitions', 'port', portDefinitions),
        })),
      }),
  };
}
