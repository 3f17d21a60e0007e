/** The operator endpoints of the master, in the shape of the transcripts. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestFramework } from './support/framework.ts';
import { get, getJson, master } from './support/mesos.ts';
import { fixtureJson, shape } from './support/shapes.ts';
import { commandTask, executorInfo, executorTask, scalar } from './support/tasks.ts';

/** Paths of values that depend on the build, the start, the host or the history of a Mesos. */
const HOST_SPECIFIC =
  /^flags\.|^build_|git_|domain|^cluster$|zookeeper|^log_dir|external_log|secrets|reregistered_time|(^|\.)web_?ui_url$/;

const comparablePaths = (value: unknown) => shape(value).filter((path) => !HOST_SPECIFIC.test(path));

let framework: TestFramework;

/** A running, a killed and a failed task, and an offer, as in the transcript. */
beforeAll(async () => {
  framework = await TestFramework.subscribe({
    info: { principal: 'mesosup', webui_url: 'http://localhost:8080' },
  });
  const executor = executorInfo('operator', {
    command: {
      ...executorInfo('operator').command,
      environment: { variables: [{ name: 'FOO', value: 'bar' }] },
    },
  });
  const launch = async (id: string, begin: number) => {
    await framework.launch((offer) =>
      executorTask(
        offer,
        { updates: [{ state: 'TASK_STARTING' }, { state: 'TASK_RUNNING' }] },
        {
          executor,
          task_id: { value: id },
          labels: { labels: [{ key: 'app', value: 'multidis' }] },
          resources: [
            scalar('cpus', 0.5),
            scalar('mem', 64),
            {
              name: 'ports',
              type: 'RANGES',
              ranges: { range: [{ begin, end: begin }] },
              allocation_info: { role: '*' },
            },
          ],
        },
      ),
    );
    await framework.update(id, 'TASK_RUNNING');
  };
  await launch('running', 31_500);
  await launch('killed', 31_501);
  await framework.call({ type: 'KILL', kill: { task_id: { value: 'killed' } } });
  await framework.update('killed', 'TASK_KILLED');
  await framework.launch((offer) => commandTask(offer, 'exit 3', { task_id: { value: 'failed' } }));
  await framework.update('failed', 'TASK_FAILED');
  await framework.offer();
});

afterAll(() => framework?.[Symbol.asyncDispose]());

interface State {
  frameworks: { id: string; offers: unknown[]; completed_tasks: unknown[] }[];
  slaves: unknown[];
  leader: string;
  pid: string;
  version: string;
  flags: Record<string, string>;
}

describe('/state', () => {
  it('has the shape of a real one', async () => {
    // The transcript's order of events: the terminal updates have been acknowledged.
    await expect
      .poll(
        async () => {
          const state = await getJson<State>(master, '/state');
          state.frameworks = state.frameworks.filter(({ id }) => id === framework.id);
          return comparablePaths({ ...state, completed_frameworks: [] });
        },
        { timeout: 10_000 },
      )
      .toEqual(comparablePaths(fixtureJson('master-state.json')));
  });

  it('has the framework and its tasks', async () => {
    const { frameworks } = await getJson<State>(master, '/state');
    expect(frameworks.find(({ id }) => id === framework.id)).toMatchObject({
      name: framework.info.name,
      active: true,
      connected: true,
      checkpoint: true,
      failover_timeout: 3600,
      roles: ['*'],
      tasks: [
        {
          id: 'running',
          state: 'TASK_RUNNING',
          executor_id: 'operator',
          resources: { cpus: 0.5, mem: 64, disk: 0, gpus: 0, ports: '[31500-31500]' },
        },
      ],
      completed_tasks: [
        {
          id: 'killed',
          state: 'TASK_KILLED',
          statuses: [{ state: 'TASK_STARTING' }, { state: 'TASK_RUNNING' }, { state: 'TASK_KILLED' }],
        },
        { id: 'failed', state: 'TASK_FAILED', executor_id: '' },
      ],
      executors: [{ executor_id: 'operator', type: 'CUSTOM' }],
      used_resources: { cpus: 0.6, mem: 96 },
    });
  });

  it('has the flags as text', async () => {
    const { flags } = await getJson<State>(master, '/state');
    expect(flags).toMatchObject({
      ip: expect.any(String),
      port: expect.any(String),
      work_dir: expect.any(String),
    });
    expect(Object.values(flags).every((value) => typeof value === 'string')).toBe(true);
  });

  it('is the same under /master/state', async () => {
    const [one, other] = await Promise.all(
      ['/state', '/master/state'].map((path) => getJson<State>(master, path)),
    );
    expect(other?.pid).toBe(one?.pid);
  });
});

it('/slaves has the shape of a real one', async () => {
  const slaves = await getJson<{ slaves: object[] }>(master, '/slaves');
  const part = /resources_full|reserved_resources|attributes|resources\./;
  const parts = (value: unknown) => comparablePaths(value).filter((path) => !part.test(path));
  expect(parts(slaves)).toEqual(parts(fixtureJson('master-slaves.json')));
  expect(slaves.slaves[0]).toMatchObject({
    active: true,
    pid: expect.stringMatching(/^slave\(1\)@[\d.]+:\d+$/),
    resources: {
      cpus: expect.any(Number),
      mem: expect.any(Number),
      ports: expect.stringMatching(/^\[\d+-\d+/),
    },
    unreserved_resources_full: expect.arrayContaining([
      { name: 'cpus', type: 'SCALAR', scalar: { value: expect.any(Number) }, role: '*' },
    ]),
  });
});

it('/version has the shape of a real one', async () => {
  const version = await getJson<Record<string, unknown>>(master, '/version');
  const real = fixtureJson<Record<string, unknown>>('master-version.json');
  expect(Object.keys(version)).toEqual(expect.arrayContaining(Object.keys(real)));
  expect(version.version).toMatch(/^\d+\.\d+\.\d+/);
});

it('/health is 200 and empty', async () => {
  expect(await get(master, '/health')).toMatchObject({ status: 200, text: '' });
});

it('/metrics/snapshot has the gauges and totals of a real one', async () => {
  const metrics = await getJson<Record<string, unknown>>(master, '/metrics/snapshot');
  // Only real masters have counters of messages, of operations on reserved resources and similar ones.
  const gauges =
    /^system\/|^master\/((cpus|mem|disk|gpus)_(total|used|percent)|(frameworks|slaves|tasks)_\w+|elected|uptime_secs|outstanding_offers|slave_(re)?(registrations|removals))$/;
  const expected = Object.keys(fixtureJson<object>('master-metrics-snapshot.json')).filter((key) =>
    gauges.test(key),
  );
  expect(expected.length).toBeGreaterThan(40);
  expect(Object.keys(metrics)).toEqual(expect.arrayContaining(expected));
  expect(Object.values(metrics).every((value) => typeof value === 'number')).toBe(true);
  expect(metrics['master/elected']).toBe(1);
  expect(metrics['master/slaves_active']).toBeGreaterThanOrEqual(1);
  expect(metrics['master/tasks_running']).toBeGreaterThanOrEqual(1);
});

it('/redirect names the leader, without a scheme', async () => {
  const answer = await get(master, '/redirect');
  expect(answer.status).toBe(307);
  expect(answer.headers.location).toMatch(/^\/\/[^/]+:\d+$/);
});

it('an unknown path is 404', async () => {
  expect((await get(master, '/no/such/path')).status).toBe(404);
});
