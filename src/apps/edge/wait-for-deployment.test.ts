import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ApiClient } from '../../client/api-client.ts';
import { ApiError } from '../../client/api-error.ts';
import type { Json } from '../../json.ts';
import { LiveLines } from './live-lines.ts';
import { DeploymentWatch } from './wait-for-deployment.ts';

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

async function outcomeOf(client: ApiClient) {
  let shown = '';
  const out = {
    isTTY: false,
    write: (text: string) => {
      shown += text;
    },
  } as unknown as NodeJS.WriteStream;
  const watch = await DeploymentWatch.open(client, new LiveLines(out), new AbortController().signal);
  try {
    return { outcome: await watch.outcome('d', '2'), shown };
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
