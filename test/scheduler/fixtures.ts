import '../../src/scheduler/linear-patterns.ts';
import { parseApp } from '../../src/scheduler/api/v1/request-schemas.ts';
import type { Change, ChangeInput } from '../../src/scheduler/decide/inputs.ts';
import { type App, definitionOf } from '../../src/scheduler/domain/app.ts';
import { type AppDefinition, appSchema } from '../../src/scheduler/domain/app-schema.ts';
import { sharedExecutorOf } from '../../src/scheduler/domain/executor.ts';
import type { Settings } from '../../src/scheduler/domain/settings.ts';

export const DOCKER = '/var/lib/mesos/executors/docker';

export function settings(more: Partial<Settings> = {}): Settings {
  return {
    framework: { user: 'root', name: 'mesosup', roles: ['*'] },
    role: '*',
    defaultExecutor: '//cmd',
    dockerExecutor: sharedExecutorOf({ path: DOCKER, cluster: 'test', role: '*' }, () => '0123456789abcdef'),
    containerizer: 'executor',
    mesosBridgeName: 'mesos-bridge',
    localPortMin: 10_000,
    localPortMax: 19_999,
    declineOfferMs: 120_000,
    maxInstancesPerOffer: 1000,
    reconciliationInitialDelayMs: 15_000,
    reconciliationIntervalMs: 600_000,
    killRetryMs: 10_000,
    taskLaunchTimeoutMs: 300_000,
    ...more,
  };
}

/** Fields of an app in v1. */
export type V1Fields = Partial<Record<keyof typeof PAGE, unknown>> & Record<string, unknown>;

const PAGE = { id: 'multidis', cmd: 'johncosta/redis', instances: 2, cpus: 1, mem: 512, executor: DOCKER };

/** An app of v1, by default the app of the 2013 page. */
export function app(more: V1Fields = {}): App {
  const parsed = parseApp({ ...PAGE, ...more });
  if ('errors' in parsed) throw new TypeError(JSON.stringify(parsed.errors));
  return versioned(parsed.value, 'v1');
}

/** An app of v2, by default one that sleeps. */
export function appV2(more: Record<string, unknown> = {}): App {
  return versioned(appSchema.parse({ id: '/sleeper', cmd: 'sleep 1000', ...more }), 'v2');
}

function versioned(definition: AppDefinition, api: App['api']): App {
  const version = new Date(0).toISOString();
  return { ...definition, api, version, configVersion: version, scaleVersion: version };
}

export function start(one: App, seed = 0): ChangeInput {
  return changed([{ op: 'create', app: definitionOf(one), api: one.api }], true, seed);
}

export function scale(appId: string, instances: number): ChangeInput {
  return changed([{ op: 'scale', appId, instances }]);
}

export function stop(appId: string): ChangeInput {
  return changed([{ op: 'remove', appId }]);
}

/** Some fields of an app, as `PUT` sends them. */
export function update(appId: string, fields: Record<string, unknown>, force = false): ChangeInput {
  return changed([{ op: 'update', appId, fields, partial: true, upsert: true }], force);
}

export function changed(changes: readonly Change[], force = true, seed = 0): ChangeInput {
  return { type: 'change', changes, force, seed };
}
