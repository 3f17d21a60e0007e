import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ApiClient } from '../../client/api-client.ts';
import { ApiError } from '../../client/api-error.ts';
import type { Json } from '../../json.ts';
import { LiveLines } from './live-lines.ts';
import { DeploymentWatch, type Expected } from './wait-for-deployment.ts';

const FAILURE = {
  eventType: 'status_update_event',
  appId: '/web',
  taskId: 'web.1',
  taskStatus: 'TASK_FAILED',
  host: 'h',
  message: 'no',
};
const PLAN = { version: '2', steps: [{ actions: [{ action: 'RestartApplication', app: '/web' }] }] };

/** A deployment of /web that has failed before anybody looked at it. */
function clientOf(reason: string, version: string): ApiClient {
  return clientWith([FAILURE, { eventType: 'deployment_failed', id: 'd', reason, plan: PLAN }], { version });
}

/** A scheduler with these events and the app /web. */
function clientWith(events: readonly Json[], app: object): ApiClient {
  return {
    call: async (_method: string, path: string) => {
      if (path === '/v2/deployments') return [];
      if (path === '/v2/apps/{id}') return { app: { id: '/web', ...app } };
      throw new ApiError('it does not exist', { status: 404 });
    },
    text: async () => 'no config.yaml\n',
    async *events(
      _path: string,
      _input: unknown,
      { onOpen, signal }: { onOpen: () => void; signal: AbortSignal },
    ) {
      onOpen();
      for (const event of events)
        yield { type: String(event.eventType), data: JSON.stringify(event), id: '1' };
      await sleep(60_000, undefined, { signal });
    },
  } as unknown as ApiClient;
}

async function outcomeOf(client: ApiClient, expected?: Expected) {
  let shown = '';
  const out = {
    isTTY: false,
    write: (text: string) => {
      shown += text;
    },
  } as unknown as NodeJS.WriteStream;
  const watch = await DeploymentWatch.open(client, new LiveLines(out), new AbortController().signal);
  try {
    return { outcome: await watch.outcome('d', expected), shown };
  } finally {
    watch.close();
  }
}

test('shows the errors of a deployment that fails at once, and that it was rolled back', async () => {
  const { outcome, shown } = await outcomeOf(clientOf('too many failures', '1'));
  expect(outcome).toMatchObject({ kind: 'failed', isRolledBack: true });
  expect(shown).toBe('Task web.1 on h failed: no\n  | no config.yaml\n');
});

test('calls a deployment that another one replaced, or that was stopped, not rolled back', async () => {
  for (const [reason, version] of [
    ['replaced by deployment e', '3'],
    ['it was cancelled', '2'],
  ] as const) {
    const { outcome } = await outcomeOf(clientOf(reason, version));
    expect(outcome).toMatchObject({ kind: 'failed', reason, isRolledBack: false });
  }
});

test('reports tasks that failed right after a deployment that succeeded, unless health checks decide', async () => {
  const success = { eventType: 'deployment_success', id: 'd', plan: PLAN };
  const app = { version: '2', instances: 1, healthChecks: [] };
  const late = await outcomeOf(clientWith([success, FAILURE], app));
  expect(late.outcome).toEqual({ kind: 'failing', apps: ['/web'] });
  expect(late.shown).toBe('Task web.1 on h failed: no\n  | no config.yaml\n');
  const before = await outcomeOf(clientWith([FAILURE, success], app));
  expect(before.outcome).toEqual({ kind: 'success' });
  const checked = { ...app, healthChecks: [{ protocol: 'TCP' }] };
  expect((await outcomeOf(clientWith([success, FAILURE], checked))).outcome).toEqual({ kind: 'success' });
});

test('leaves nothing behind when the events are lost right after a deployment', async () => {
  const success = { eventType: 'deployment_success', id: 'd', plan: PLAN };
  const lost = new ApiError('no scheduler answers');
  const client = {
    ...clientWith([], { version: '2', instances: 1, healthChecks: [] }),
    async *events(_path: string, _input: unknown, { onOpen }: { onOpen: () => void }) {
      onOpen();
      yield { type: 'deployment_success', data: JSON.stringify(success), id: '1' };
      await sleep(100);
      throw lost;
    },
  } as unknown as ApiClient;
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.prependListener('unhandledRejection', note);
  try {
    await expect(outcomeOf(client)).rejects.toBe(lost);
    await sleep(10);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});

/** A scheduler that knows these apps, and the deployment for the first requests; the event of its end is lost. */
function clientAfter(versions: Readonly<Record<string, string>>, deployments: object[] = []): ApiClient {
  return {
    ...clientWith([], {}),
    call: async (_method: string, path: string, { path: { id } }: { path: { id: string } }) => {
      const [app, deployment] = [versions[id], deployments.shift()];
      if (path === '/v2/apps/{id}' && app !== undefined)
        return { app: { id, version: app, healthChecks: [] } };
      if (path === '/v2/deployments/{id}' && deployment) return deployment;
      throw new ApiError('it does not exist', { status: 404 });
    },
  } as unknown as ApiClient;
}

test('finds out from the apps how a deployment ended whose event was lost', async () => {
  const kinds = async (versions: Readonly<Record<string, string>>, expected: Partial<Expected>) =>
    (await outcomeOf(clientAfter(versions), { version: '2', changed: [], removed: [], ...expected })).outcome
      .kind;
  const found = await Promise.all([
    kinds({ '/a': '2' }, { changed: ['/a'] }),
    kinds({ '/a': '1' }, { changed: ['/a'] }),
    kinds({}, { changed: ['/a'] }),
    kinds({}, { removed: ['/a'] }),
    kinds({ '/a': '1' }, { removed: ['/a'] }),
    kinds({ '/a': '2' }, {}),
  ]);
  expect(found).toEqual(['success', 'failed', 'failed', 'success', 'failed', 'unknown']);
});

test('knows from a deployment that it has seen which apps it changes and removes', async () => {
  const seen = {
    ...{ id: 'd', version: '2', affectedApps: ['/a', '/b'], currentStep: 1, totalSteps: 1, failures: 0 },
    steps: [{ actions: [{ action: 'StopApplication', app: '/b' }] }],
  };
  const of = async (versions: Readonly<Record<string, string>>, more: object = {}) =>
    (await outcomeOf(clientAfter(versions, [{ ...seen, ...more }]))).outcome.kind;
  expect(await of({ '/a': '2' })).toBe('success');
  expect(await of({ '/a': '2', '/b': '1' })).toBe('failed');
  expect(await of({ '/a': '1' }, { rollbackOf: 'e' })).toBe('unknown');
});
