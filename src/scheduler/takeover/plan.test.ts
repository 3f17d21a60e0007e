import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../backup/contents.ts';
import { evolve } from '../domain/evolve.ts';
import { snapshotOf } from '../domain/snapshot.ts';
import { createState, type State } from '../domain/state.ts';
import { readEvent } from '../domain/stored-events.ts';
import { isHealthy, isReady } from '../domain/task.ts';
import { type FrameworkFacts, readFramework } from './framework.ts';
import { planTakeover } from './plan.ts';
import { readAnswers } from './reading.ts';
import { appIdOf } from './task-id.ts';

const UUID = '12345678-1234-4123-8123-123456789abc';
const V1 = '2026-01-01T00:00:00.000Z';
const V2 = '2026-02-01T00:00:00.000Z';
const V3 = '2026-03-01T00:00:00.000Z';
const NOW = Date.parse('2026-04-01T00:00:00.000Z');

/** An app that was changed at V2 and scaled at V3. */
function shown(more: object = {}) {
  const versionInfo = { lastConfigChangeAt: V2, lastScalingAt: V3 };
  return { id: '/g/a', cmd: 'x', cpus: 0.1, mem: 16, version: V3, versionInfo, ...more };
}

function task(more: object = {}) {
  return {
    id: `g_a.instance-${UUID}._app.1`,
    appId: '/g/a',
    slaveId: 'S0',
    host: 'h',
    ports: [31_000],
    version: V2,
    state: 'TASK_RUNNING',
    stagedAt: V2,
    startedAt: V3,
    ...more,
  };
}

interface Given {
  apps?: object[];
  tasks?: object[];
  pods?: object[];
  deployments?: object[];
  earlier?: object;
}

function reading({ apps = [shown()], tasks = [task()], pods = [], deployments = [], earlier = {} }: Given) {
  const info = { frameworkId: 'F', version: '1.11.24', marathon_config: { master: 'zk://z/mesos' } };
  const answers = {
    info,
    groups: { id: '/', apps, pods },
    tasks: { tasks },
    deployments,
    queue: { queue: [] },
  };
  const read = readAnswers(answers, new Map(Object.entries(earlier)));
  if ('path' in read) throw new Error(`${read.path}: ${read.why}`);
  return read;
}

function facts(framework: object = {}, more: object = {}): FrameworkFacts {
  const state = {
    frameworks: [
      {
        id: 'F',
        name: 'marathon',
        connected: true,
        user: 'root',
        checkpoint: true,
        roles: ['*'],
        failover_timeout: 604_800,
        ...framework,
      },
    ],
    slaves: [{ id: 'S0', hostname: 'h', attributes: { rack: 'r1', n: 2 } }],
    ...more,
  };
  const read = readFramework(state, 'F');
  if (!read || !('id' in read)) throw new Error('no framework');
  return read;
}

function planned(given: Given = {}, framework: object = {}) {
  return planTakeover(reading(given), facts(framework), defaultSettings(), NOW);
}

/** Loads the events as a scheduler does that starts with them. */
function loaded({ events }: ReturnType<typeof planned>): State {
  const state = createState(defaultSettings());
  for (const event of events) evolve(state, readEvent(JSON.parse(JSON.stringify(event))));
  return state;
}

describe('a takeover', () => {
  it('makes the tasks of Marathon instances of the current configuration of their app', () => {
    const result = planned();
    expect(result.plan).toMatchObject({ problems: [], unsupported: [], leftOut: [], flags: [] });
    const state = loaded(result);
    expect(state.frameworkId).toBe('F');
    const record = state.apps.get('/g/a');
    expect(record).toMatchObject({ missing: 0, current: 1, ready: 1, frozen: false });
    expect(record?.app).toMatchObject({ version: V3, configVersion: V2, scaleVersion: V3 });
    expect([...state.tasks.values()]).toEqual([
      {
        id: `g_a.instance-${UUID}._app.1`,
        appId: '/g/a',
        run: 1,
        version: V2,
        configVersion: V2,
        agentId: 'S0',
        host: 'h',
        ports: [31_000],
        launchedAt: Date.parse(V2),
        runningAt: Date.parse(V3),
        checked: false,
        state: 'TASK_RUNNING',
      },
    ]);
    expect([...snapshotOf(state)]).toEqual(result.events);
  });

  it('keeps the containerizer with which Marathon runs an image', () => {
    const docker = { image: 'nginx' };
    const apps = [
      shown({ id: '/d', cmd: null, container: { type: 'DOCKER', docker } }),
      shown({ id: '/m', cmd: null, container: { type: 'MESOS', docker } }),
    ];
    const state = loaded(planned({ apps, tasks: [] }));
    expect([...state.apps.values()].map(({ app }) => app.containerizer)).toEqual(['docker', 'mesos']);
  });

  it('continues with the health that Marathon has seen, until this scheduler has checked', () => {
    const apps = [
      shown({ healthChecks: [{ protocol: 'HTTP', path: '/' }] }),
      shown({ id: '/m', healthChecks: [{ protocol: 'MESOS_HTTP', path: '/' }] }),
    ];
    const healthCheckResults = [{ alive: true }];
    const tasks = [
      task({ healthCheckResults }),
      task({ id: `m.${UUID}`, appId: '/m', healthCheckResults }),
      task({ id: `m.instance-${UUID}._app`, appId: '/m', healthCheckResults: [{ alive: false }] }),
    ];
    const state = loaded(planned({ apps, tasks }));
    expect([...state.tasks.values()].map(isHealthy)).toEqual([true, true, false]);
    const [first] = state.tasks.values();
    if (!first) throw new Error('no task');
    evolve(state, { type: 'task_probed', taskId: first.id, probe: 0, healthy: false, at: NOW });
    expect(isReady(first)).toBe(false);
  });

  it('keeps outdated tasks until the next deployment, with the checks of their definition', () => {
    const old = shown({ version: V1, versionInfo: null, healthChecks: [{ protocol: 'TCP' }] });
    const tasks = [task(), task({ id: `g_a.${UUID}`, version: V1 })];
    const apps = [shown({ instances: 1 })];
    const state = loaded(planned({ apps, tasks, earlier: { [`${V1} /g/a`]: old } }));
    const record = state.apps.get('/g/a');
    expect(record).toMatchObject({ frozen: true, counted: 2, current: 1 });
    expect(record?.versions.map(({ version }) => version)).toEqual([V1, V3]);
    expect(state.tasks.get(`g_a.${UUID}`)).toMatchObject({ configVersion: V1, probes: 1 });
  });

  it('knows the values of fields that constraints use', () => {
    const apps = [
      shown({
        constraints: [
          ['rack', 'UNIQUE'],
          ['hostname', 'UNIQUE'],
        ],
      }),
    ];
    const [only] = loaded(planned({ apps })).tasks.values();
    expect(only?.fields).toEqual({ rack: 'r1', hostname: 'h' });
  });

  it('takes tasks that Marathon launched after it was read from the master', () => {
    const running = { slave_id: 'S0', state: 'TASK_RUNNING', statuses: [{ timestamp: 5 }] };
    const late = { ...running, id: `g_a.${UUID}`, resources: { ports: '[31005-31005]' } };
    const { plan, events } = planned({ tasks: [] }, { tasks: [late] });
    expect(plan.leftOut).toEqual([]);
    expect(events.at(-1)).toMatchObject({
      type: 'task_restored',
      task: { ports: [31_005], version: V3, configVersion: V2, launchedAt: 5000, host: 'h' },
    });
    // The app was scaled after it was read, so that its definition has fewer instances.
    const scaled = planned({}, { tasks: [late] });
    expect(scaled.plan.apps).toEqual([{ id: '/g/a', instances: 2, tasks: 2 }]);
    expect(loaded(scaled).apps.get('/g/a')).toMatchObject({ counted: 2, missing: 0 });
    // The order of several ports is unknown without DiscoveryInfo.
    const ports = { ports: { ports: [{ number: 31_007 }, { number: 31_006 }] } };
    const several = { ...late, resources: { ports: '[31006-31007]' } };
    expect(planned({ tasks: [] }, { tasks: [several] }).plan.leftOut).toHaveLength(1);
    const described = planned({ tasks: [] }, { tasks: [{ ...several, discovery: ports }] });
    expect(described.events.at(-1)).toMatchObject({ task: { ports: [31_007, 31_006] } });
  });

  it('takes host ports only, once for both protocols, from the DiscoveryInfo of a container', () => {
    const scope = (value: string) => ({
      labels: { labels: [{ key: 'network-scope', value }, { key: 'x' }] },
    });
    const ports = [
      { number: 8080, ...scope('container') },
      { number: 31_007, protocol: 'tcp', ...scope('host') },
      { number: 31_007, protocol: 'udp', ...scope('host') },
      { number: 31_006, protocol: 'tcp', ...scope('host') },
    ];
    const late = {
      id: `g_a.${UUID}`,
      slave_id: 'S0',
      state: 'TASK_RUNNING',
      discovery: { ports: { ports } },
    };
    const { events } = planned({ tasks: [] }, { tasks: [late] });
    expect(events.at(-1)).toMatchObject({ task: { ports: [31_007, 31_006] } });
    for (const discovery of [{ visibility: 'FRAMEWORK' }, { ports: {} }]) {
      const without = planned({ tasks: [] }, { tasks: [{ ...late, discovery }] });
      expect(without.events.at(-1)).toMatchObject({ task: { ports: [] } });
    }
  });

  it('leaves out pods, secrets, persistent volumes, invalid apps and unknown tasks, with their tasks', () => {
    const volume = { containerPath: 'data', mode: 'RW', persistent: { size: 10 } };
    const apps = [
      shown(),
      shown({ id: '/s', env: { P: { secret: 'p' } } }),
      shown({ id: '/v', container: { type: 'MESOS', volumes: [volume] } }),
      shown({ id: '/i', cpus: 0 }),
      shown({ id: '/e', cmd: null }),
    ];
    const of = (appId: string) => task({ id: `${appId.slice(1)}.${UUID}`, appId });
    const others = [`pod.instance-${UUID}.ct`, 'other'].map((id) => ({
      id,
      slave_id: 'S0',
      state: 'TASK_RUNNING',
    }));
    const result = planned(
      { apps, pods: [{ id: '/pod' }], tasks: [task(), of('/s'), of('/v'), of('/i')] },
      { tasks: others },
    );
    expect(result.plan.leftOut).toEqual([
      { id: '/s', why: 'uses secrets', taskIds: [`s.${UUID}`] },
      { id: '/v', why: 'has persistent volumes', taskIds: [`v.${UUID}`] },
      { id: '/i', why: 'cpus must be at least 0.001', taskIds: [`i.${UUID}`] },
      { id: '/e', why: 'cmd may not be empty', taskIds: [] },
      { id: '/pod', why: 'is a pod', taskIds: [`pod.instance-${UUID}.ct`] },
      { id: '/', why: 'has tasks that Marathon does not show', taskIds: ['other'] },
    ]);
    expect(result.plan.apps).toEqual([{ id: '/g/a', instances: 1, tasks: 1 }]);
    const state = loaded(result);
    expect([...state.leftTasks]).toHaveLength(5);
    expect(state.tasks.size).toBe(1);
  });

  it('is refused during a deployment, with several roles, and with a short failover_timeout', () => {
    const deployments = [{ id: 'd', affectedApps: ['/g/a'] }];
    const { problems } = planned({ deployments }, { roles: ['a', 'b'], failover_timeout: 0 }).plan;
    expect(problems.map(({ id, field }) => ({ id, field }))).toEqual([
      { id: '/g/a', field: 'deployment' },
      { id: 'F', field: 'roles' },
      { id: 'F', field: 'failover_timeout' },
    ]);
  });

  it('is refused while the master does not know the tasks of agents since its failover', () => {
    const recovered_slaves = [{ hostname: 'h2' }, { hostname: 'h1' }];
    const { plan } = planTakeover(reading({}), facts({}, { recovered_slaves }), defaultSettings(), NOW);
    expect(plan.problems).toEqual([
      { id: 'F', field: 'agents', why: expect.stringMatching(/^h1, h2 have not registered/) },
    ]);
    const state = { frameworks: [], recovered_slaves };
    expect(readFramework(state, 'F')).toEqual({ recovering: ['h1', 'h2'] });
    expect(readFramework({ frameworks: [] }, 'F')).toBe(undefined);
  });

  it('names the flags of the framework, and takes apps of its role', () => {
    const own = { user: 'marathon', principal: 'p', roles: ['prod'], checkpoint: false };
    const { plan, events } = planned({ apps: [shown({ role: 'prod' })] }, own);
    expect(plan.leftOut).toEqual([]);
    expect(plan.flags).toEqual([
      '--mesos_user marathon',
      '--mesos_role prod',
      '--mesos_authentication_principal p',
    ]);
    expect(events[1]).toEqual({
      type: 'framework_registered',
      frameworkId: 'F',
      identity: { user: 'marathon', principal: 'p', role: 'prod', checkpoint: false },
    });
  });
});

it.each([
  [`a.instance-${UUID}._app.1`, '/a'],
  [`g_b.c.instance-${UUID}._app`, '/g/b.c'],
  [`g_a.${UUID}`, '/g/a'],
  [`g_a.${UUID}.2`, '/g/a'],
  [`pod.instance-${UUID}.ct`, undefined],
  ['x_1-1600000000000', undefined],
])('reads the app from the task id %s', (id, appId) => {
  expect(appIdOf(id)).toBe(appId);
});

it.each([
  [{}, 10_000],
  [{ zookeeper_config: { zk_session_timeout: 40_000 } }, 40_000],
  [{ marathon_config: { ha: false } }, undefined],
])('reads how long another instance may need to lead, from %j', (more, timeout) => {
  const info = { frameworkId: 'F', ...more };
  const read = readAnswers({
    info,
    groups: { apps: [] },
    tasks: { tasks: [] },
    deployments: [],
    queue: { queue: [] },
  });
  expect(read).toEqual(expect.objectContaining({ frameworkId: 'F' }));
  expect('path' in read ? undefined : read.sessionTimeoutMs).toBe(timeout);
});

it.each([
  ['info', {}],
  ['tasks', { tasks: [{ id: 'x' }] }],
  ['deployments', {}],
  ['queue', []],
])('names the answer that is not of Marathon: %s', (name, wrong) => {
  const good = {
    info: { frameworkId: 'F' },
    groups: { apps: [] },
    tasks: { tasks: [] },
    deployments: [],
    queue: { queue: [] },
  };
  expect(readAnswers(good)).not.toHaveProperty('path');
  expect(readAnswers({ ...good, [name]: wrong })).toMatchObject({ path: `/v2/${name}` });
});
