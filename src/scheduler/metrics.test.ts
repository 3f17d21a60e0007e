import { expect, it } from 'vitest';
import { call, get, server } from '../../test/scheduler/api-server.ts';
import { settings } from '../../test/scheduler/fixtures.ts';
import { createState } from './domain/state.ts';
import { createMetrics } from './metrics.ts';
import { createMemoryStore } from './store/memory.ts';
import { loadAll } from './store/store.ts';

async function scraped(one: ReturnType<typeof server>): Promise<string> {
  const answer = await get(one, '/metrics/prometheus');
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  return answer.body;
}

it('counts what an operator watches', async () => {
  const one = server();
  await call(one, 'POST', '/v2/apps', { id: '/a', cmd: 'sleep 1', instances: 2, cpus: 0.1, mem: 16 });
  const before = await scraped(one);
  expect(before).toContain('\nmesosup_queue_apps 1\n');
  expect(before).toContain('\nmesosup_queue_instances 2\n');
  expect(before).toContain('\nmesosup_deployments 1\n');
  expect(before).toContain('\nmesosup_connected 0\n');
  await one.run();
  await get(one, '/v2/apps/none');
  const after = await scraped(one);
  for (const line of [
    'mesosup_apps 1',
    'mesosup_connected 1',
    'mesosup_queue_apps 0',
    'mesosup_deployments 0',
    'mesosup_tasks{state="TASK_RUNNING"} 2',
    'mesosup_tasks_launched_total 2',
    'mesosup_deployments_started_total 1',
    'mesosup_deployments_ended_total{outcome="success"} 1',
    'mesosup_http_request_duration_seconds_count{method="POST",route="/v2/apps",status="201"} 1',
    'mesosup_http_request_duration_seconds_count{method="GET",route="/v2/apps/*",status="404"} 1',
    'mesosup_event_streams 0',
  ]) {
    expect(after).toContain(`\n${line}\n`);
  }
});

it('counts by route, since the number of URLs is unlimited', async () => {
  const one = server();
  for (let i = 0; i < 20; i += 1) await get(one, `/nothing/${i}`);
  const lines = (await scraped(one)).split('\n').filter((line) => line.includes('_seconds_count{'));
  expect(lines).toEqual([
    'mesosup_http_request_duration_seconds_count{method="GET",route="none",status="404"} 20',
  ]);
});

it('times a store without changing it', async () => {
  const metrics = createMetrics();
  const inner = createMemoryStore();
  const store = metrics.timeStore(inner);
  await store.append([{ type: 'framework_registered', frameworkId: 'f' }]);
  expect(await loadAll(inner)).toEqual(await loadAll(store));
  expect(await loadAll(store)).toHaveLength(1);
  const text = await metrics.render(createState(settings()), 0);
  expect(text).toContain('\nmesosup_store_append_duration_seconds_count 1\n');
  expect(text).toContain('\nmesosup_store_events_total 1\n');
  expect(text).toMatch(/\nprocess_resident_memory_bytes \d+\n/);
});

it('returns the id of each request, keeping a valid id of the client', async () => {
  const answered: string[] = [];
  const one = server({ onAnswered: ({ id, method, status }) => answered.push(`${id} ${method} ${status}`) });
  const named = await call(one, 'GET', '/v2/apps', undefined, { 'x-request-id': 'abc-1' });
  expect(named.headers['x-request-id']).toBe('abc-1');
  const odd = await call(one, 'GET', '/nothing', undefined, { 'x-request-id': 'a b\tc' });
  expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(answered).toEqual(['abc-1 GET 200', `${odd.headers['x-request-id']} GET 404`]);
});
