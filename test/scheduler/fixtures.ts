import type { App } from '../../src/scheduler/domain/app.ts';
import { sharedExecutorOf } from '../../src/scheduler/domain/executor.ts';
import type { Settings } from '../../src/scheduler/domain/settings.ts';

export const DOCKER = '/var/lib/mesos/executors/docker';

export function settings(more: Partial<Settings> = {}): Settings {
  return {
    framework: { user: 'root', name: 'mesosup', roles: ['*'] },
    role: '*',
    defaultExecutor: '//cmd',
    dockerExecutor: sharedExecutorOf({ path: DOCKER, cluster: 'test', role: '*' }, () => '0123456789abcdef'),
    localPortMin: 10_000,
    localPortMax: 19_999,
    declineOfferMs: 120_000,
    reconciliationInitialDelayMs: 15_000,
    reconciliationIntervalMs: 600_000,
    killRetryMs: 10_000,
    taskLaunchTimeoutMs: 300_000,
    ...more,
  };
}

/** An app as the API hands it on: the 2013 page's, unless said otherwise. */
export function app(more: Partial<App> = {}): App {
  return {
    id: 'multidis',
    cmd: 'johncosta/redis',
    env: {},
    instances: 2,
    cpus: 1,
    mem: 512,
    disk: 0,
    executor: DOCKER,
    constraints: [],
    uris: [],
    ports: [],
    ...more,
  };
}
