import { describe, expect, it } from 'vitest';
import { app, DOCKER, scale, settings, start, stop } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { decodeTaskData } from '../../../executor/task-data.ts';
import { launchedTasks } from '../../../mesos/operations.ts';
import type { TaskInfo } from '../../../mesos/types.ts';
import { RELEASE } from '../../../release.ts';
import type { AgentSpec } from '../../../simulator/agent.ts';
import type { App } from '../../domain/app.ts';

const AGENT: AgentSpec = { id: 'S0', host: 'a.example', cpus: 4, mem: 4096, ports: 10 };
const OTHER: AgentSpec = { id: 'S1', host: 'b.example', cpus: 4, mem: 4096, ports: 10 };

function started(agents: readonly AgentSpec[], ...apps: App[]): Harness {
  const harness = new Harness(agents);
  harness.connect();
  harness.deliverAll();
  for (const one of apps) harness.input(start(one, 0.0445));
  harness.mesos.offer();
  harness.deliverAll();
  return harness;
}

function launched({ mesos }: Harness): TaskInfo[] {
  return mesos.calls.flatMap((call) => (call.type === 'ACCEPT' ? launchedTasks(call.accept.operations) : []));
}

function accepts({ mesos }: Harness) {
  return mesos.calls.filter((call) => call.type === 'ACCEPT');
}

function reasons(harness: Harness, appId = 'multidis'): string[] {
  return [...(harness.state.apps.get(`/${appId}`)?.refusals.values() ?? [])].map(({ reason }) => reason);
}

describe('placement', () => {
  it('puts one instance on each agent with an offer in the same event', () => {
    const tasks = launched(started([AGENT, OTHER], app()));
    expect(tasks.map((task) => task.agent_id.value)).toEqual(['S0', 'S1']);
  });

  it('does not wait for a second agent', () => {
    const harness = started([AGENT], app());
    expect(accepts(harness)).toHaveLength(1);
    expect(launched(harness).map((task) => task.agent_id.value)).toEqual(['S0', 'S0']);
  });

  it('evens out an uneven earlier placement', () => {
    const harness = started([AGENT], app({ instances: 1 }));
    harness.rest();
    const both = new Harness([AGENT, OTHER]);
    both.disk.push(...harness.disk);
    both.restart();
    both.connect();
    both.deliverAll();
    both.input(scale('/multidis', 2));
    both.mesos.offer();
    both.deliverAll();
    expect(launched(both).map((task) => task.agent_id.value)).toContain('S1');
  });

  it('launches the 2013 example in the shared executor', () => {
    const [task] = launched(started([AGENT], app({ env: { A: 'b', PORT: '6379' } })));
    expect(task).toMatchObject({
      name: 'multidis',
      task_id: { value: 'multidis_0-1000000' },
      executor: {
        type: 'CUSTOM',
        executor_id: { value: 'mesosup-docker.0123456789ab.default.0' },
        command: { value: DOCKER, shell: true },
        labels: {
          labels: [
            { key: 'mesosup.cluster', value: 'test' },
            { key: 'mesosup.release', value: RELEASE },
          ],
        },
        shutdown_grace_period: { nanoseconds: 25_000_000_000 },
      },
    });
    expect(task?.command).toBeUndefined();
    expect(task?.resources.map(({ name, scalar, ranges }) => [name, scalar?.value ?? ranges?.range])).toEqual(
      [
        ['cpus', 1],
        ['mem', 512],
        ['ports', [{ begin: 31_000, end: 31_000 }]],
      ],
    );
    const data = decodeTaskData(task?.data ?? '');
    expect(data).toMatchObject({ id: 'multidis', cmd: 'johncosta/redis', ports: [10_445] });
    expect(data.docker).toEqual({
      image: 'johncosta/redis',
      args: [],
      env: { PORT0: '31000', PORT: '6379', PORTS: '31000', A: 'b' },
      options: [],
    });
  });

  it("splits the command with the scheduler's own ports, and takes the image from the container", () => {
    const container = { image: 'docker:///redis:7', options: ['--privileged'] };
    const cmd = `redis-server --port $PORT0 'a b' *`;
    const [task] = launched(started([AGENT], app({ cmd, container, env: { PORT0: '1' } })));
    expect(decodeTaskData(task?.data ?? '').docker).toMatchObject({
      image: 'redis:7',
      args: ['redis-server', '--port', '31000', 'a b', '*'],
      options: ['--privileged'],
      env: { PORT0: '1' },
    });
  });

  it('launches any other executor in the 2013 form', () => {
    const one = app({
      executor: '/opt/mine',
      cmd: 'img $PORT',
      env: { PORT: '1', X: 'y' },
      uris: ['http://u/f'],
    });
    const [task] = launched(started([AGENT], one));
    expect(task?.executor).toMatchObject({
      executor_id: { value: task?.task_id.value },
      command: {
        value: '/opt/mine img $PORT',
        shell: true,
        uris: [{ value: 'http://u/f' }],
        environment: {
          variables: [
            { name: 'PORT', value: '31000' },
            { name: 'X', value: 'y' },
            { name: 'PORT0', value: '31000' },
            { name: 'PORTS', value: '31000' },
          ],
        },
      },
    });
    expect(task?.executor?.labels).toBeUndefined();
    expect(decodeTaskData(task?.data ?? '')).not.toHaveProperty('docker');
  });

  it('gives an app with URIs an executor of its own, since Mesos fetches them for executors', () => {
    const [task] = launched(started([AGENT], app({ uris: ['http://u/f'] })));
    expect(task?.executor?.executor_id.value).toBe(task?.task_id.value);
    expect(task?.executor?.command?.value).toBe(DOCKER);
    expect(decodeTaskData(task?.data ?? '').docker).toMatchObject({ image: 'johncosta/redis' });
    expect(task?.executor?.labels?.labels).toHaveLength(2);
    expect(task?.executor?.shutdown_grace_period).toBeDefined();
  });

  it.each(['', '//cmd'])('launches a plain command for the executor %j', (executor) => {
    const [task] = launched(started([AGENT], app({ executor, cmd: 'sleep 1 | cat', disk: 5 })));
    expect(task?.command?.value).toBe('sleep 1 | cat');
    expect(task?.executor).toBeUndefined();
    expect(task?.data).toBeUndefined();
    expect(task?.resources.map(({ name }) => name)).toEqual(['cpus', 'mem', 'disk', 'ports']);
  });

  it("counts the executor's own resources once on an agent", () => {
    const agent = { ...AGENT, cpus: 2.1, mem: 1088 };
    const harness = started([agent], app({ cpus: 1, instances: 3 }));
    expect(launched(harness)).toHaveLength(2);
    expect(reasons(harness)).toEqual(['cpus: 1 wanted, 0 offered']);
    const tight = started([{ ...agent, cpus: 2 }], app({ cpus: 2, instances: 1 }));
    expect(reasons(tight)).toEqual(['cpus: 2.1 wanted, including 0.1 for its executor, 2 offered']);
  });

  it('opens another executor after 200 tasks', () => {
    const agent = { ...AGENT, cpus: 100, mem: 100_000, ports: 300 };
    const small = app({ cpus: 0.1, mem: 10, instances: 201 });
    const ids = launched(started([agent], small)).map((task) => task.executor?.executor_id.value ?? '');
    expect(ids.filter((id) => id.endsWith('.0'))).toHaveLength(200);
    expect(ids.filter((id) => id.endsWith('.1'))).toHaveLength(1);
  });

  it('reports what is missing', () => {
    expect(reasons(started([AGENT], app({ mem: 9000 })))).toEqual([
      'mem: 9064 wanted, including 64 for its executor, 4096 offered',
    ]);
    expect(reasons(started([AGENT], app({ disk: 9000 })))).toEqual(['disk: 9000 wanted, 1000 offered']);
    const ports = started([{ ...AGENT, ports: 1 }], app({ ports: [0, 0], instances: 1 }));
    expect(reasons(ports)).toEqual(['ports: 2 wanted, 1 offered']);
  });

  it('reports a refusal once', () => {
    const harness = started([AGENT], app({ mem: 9000 }));
    harness.mesos.call({ type: 'REVIVE' });
    harness.mesos.offer();
    harness.deliver();
    expect(harness.lastDecision.events.map(({ type }) => type)).toEqual(['offers_weighed']);
    expect(harness.mesos.calls.at(-1)?.type).toBe('DECLINE');
  });

  it('records a limited number of refusals', () => {
    const agents = Array.from({ length: 60 }, (_, i) => ({ ...AGENT, id: `S${i}`, host: `h${i}` }));
    expect(reasons(started(agents, app({ mem: 9000 })))).toHaveLength(50);
  });

  it('ignores reserved resources', () => {
    const harness = started([AGENT], app({ mem: 100, instances: 1 }));
    const offer = {
      id: { value: 'o' },
      framework_id: { value: 'f' },
      agent_id: { value: 'S9' },
      hostname: 'c',
      resources: [
        { name: 'cpus', type: 'SCALAR' as const, scalar: { value: 9 }, role: 'other' },
        { name: 'mem', type: 'SCALAR' as const, scalar: { value: 9000 }, reservations: [{ role: 'other' }] },
      ],
    };
    harness.input(scale('/multidis', 2));
    harness.input({ type: 'mesos', event: { type: 'OFFERS', offers: { offers: [offer] } } });
    expect(reasons(harness)).toEqual(['cpus: 1.1 wanted, including 0.1 for its executor, 0 offered']);
  });

  it('gives tasks unique ids even if an app is created again in the same millisecond', () => {
    const harness = started([AGENT], app({ instances: 1 }));
    harness.input(stop('/multidis'));
    harness.input(start(app({ instances: 1 })));
    harness.mesos.offer();
    harness.deliverAll();
    expect(launched(harness).map((task) => task.task_id.value)).toEqual([
      'multidis_0-1000000',
      'multidis_1-1000000',
    ]);
  });
});

describe('constraints', () => {
  const racks = ['x', 'x', 'y', 'z'].map((rack, i) => ({
    ...AGENT,
    id: `S${i}`,
    host: `h${i}`,
    attributes: { rack },
  }));
  const agentsOf = (constraints: App['constraints'], instances = 8) =>
    launched(started(racks, app({ cpus: 0.1, mem: 1, instances, constraints }))).map(
      (task) => task.agent_id.value,
    );

  it.each<[string, App['constraints'], string[]]>([
    ['UNIQUE on hosts', [['hostname', 'UNIQUE']], ['S0', 'S1', 'S2', 'S3']],
    ['UNIQUE on an attribute', [['rack', 'UNIQUE']], ['S0', 'S2', 'S3']],
    [
      'LIKE, the whole value',
      [
        ['hostname', 'LIKE', 'h[12]'],
        ['hostname', 'UNIQUE'],
      ],
      ['S1', 'S2'],
    ],
    ['LIKE, not a part', [['hostname', 'LIKE', 'h']], []],
    [
      'UNLIKE',
      [
        ['hostname', 'UNLIKE', 'h[12]'],
        ['hostname', 'UNIQUE'],
      ],
      ['S0', 'S3'],
    ],
    [
      'UNLIKE where the attribute is missing',
      [
        ['zone', 'UNLIKE', 'a'],
        ['hostname', 'UNIQUE'],
      ],
      ['S0', 'S1', 'S2', 'S3'],
    ],
    ['LIKE where the attribute is missing', [['zone', 'LIKE', '.*']], []],
    [
      'UNIQUE where the attribute is missing, though objects have such a property',
      [['constructor', 'UNIQUE']],
      [],
    ],
  ])('%s', (_name, constraints, expected) => {
    expect(agentsOf(constraints)).toEqual(expected);
  });

  it('CLUSTER uses the first value, or the named one', () => {
    expect(new Set(agentsOf([['rack', 'CLUSTER']]))).toEqual(new Set(['S0', 'S1']));
    expect(new Set(agentsOf([['rack', 'CLUSTER', 'y']]))).toEqual(new Set(['S2']));
  });

  it('GROUP_BY spreads evenly over the values', () => {
    const counts = new Map<string, number>();
    for (const id of agentsOf([['rack', 'GROUP_BY', '3']], 9)) {
      const rack = racks.find((agent) => agent.id === id)?.attributes.rack ?? '';
      counts.set(rack, (counts.get(rack) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([3, 3, 3]);
  });

  it('hold after a restart, with the values stored with the tasks', () => {
    const harness = started(racks, app({ instances: 2, constraints: [['rack', 'UNIQUE']] }));
    harness.rest();
    harness.restart();
    harness.connect();
    harness.deliverAll();
    harness.input(scale('/multidis', 9));
    harness.mesos.offer();
    harness.deliverAll();
    expect(launched(harness)).toHaveLength(3);
    expect(reasons(harness)).toContain('constraint rack UNIQUE: rack is x');
  });

  it('read attributes of every type', () => {
    const harness = new Harness([]);
    harness.connect();
    harness.deliverAll();
    const constraints = [
      ['size', 'LIKE', '2'],
      ['slots', 'LIKE', '\\[1-2\\]'],
      ['odd', 'UNLIKE', 'x'],
    ];
    harness.input(start(app({ executor: '', instances: 1, constraints, ports: [5] })));
    const offer = {
      id: { value: 'o' },
      framework_id: { value: 'f' },
      agent_id: { value: 'S9' },
      hostname: 'c',
      attributes: [
        { name: 'size', type: 'SCALAR' as const, scalar: { value: 2 } },
        { name: 'slots', type: 'RANGES' as const, ranges: { range: [{ begin: 1, end: 2 }] } },
        { name: 'odd', type: 'SET' as const },
      ],
      resources: [
        { name: 'cpus', type: 'SCALAR' as const, scalar: { value: 9 } },
        { name: 'mem', type: 'SCALAR' as const, scalar: { value: 9000 } },
        { name: 'ports', type: 'RANGES' as const, ranges: { range: [{ begin: 1, end: 9 }] } },
      ],
    };
    harness.input({ type: 'mesos', event: { type: 'OFFERS', offers: { offers: [offer] } } });
    expect(launched(harness)).toHaveLength(1);
  });
});

describe('unneeded offers', () => {
  it('are declined for a long time, and suppressed', () => {
    const harness = started([AGENT]);
    harness.mesos.call({ type: 'REVIVE' });
    harness.mesos.offer();
    harness.deliverAll();
    expect(harness.mesos.calls.at(-1)).toMatchObject({
      type: 'DECLINE',
      decline: { filters: { refuse_seconds: 120 } },
    });
    expect(harness.state.suppressed).toBe(true);
  });

  it('are suppressed once all tasks are placed, and revived when an app needs them', () => {
    const harness = started([AGENT], app());
    expect(harness.mesos.calls.at(-1)).toEqual({ type: 'SUPPRESS', suppress: { roles: ['*'] } });
    expect(accepts(harness)[0]).toMatchObject({ accept: { filters: { refuse_seconds: 120 } } });
    harness.input(scale('/multidis', 3));
    expect(harness.mesos.calls.at(-1)).toEqual({ type: 'REVIVE', revive: { roles: ['*'] } });
  });

  it('come back soon while an app is still waiting', () => {
    const harness = started([AGENT], app({ instances: 9 }));
    expect(accepts(harness)[0]).toMatchObject({ accept: { filters: { refuse_seconds: 0 } } });
    expect(harness.state.suppressed).toBe(false);
  });

  it('are revived when demand grows while another app is waiting', () => {
    const harness = started([AGENT], app({ mem: 9000 }));
    harness.input(scale('/multidis', 3));
    expect(harness.mesos.calls.at(-1)?.type).toBe('REVIVE');
  });

  it('are revived when a task ends while another app is waiting', () => {
    const harness = started([AGENT], app({ instances: 1 }), app({ id: 'big', mem: 3600, instances: 1 }));
    harness.mesos.work();
    harness.deliverAll();
    expect(harness.state.ready).toContain('/big');
    harness.input(stop('/multidis'));
    harness.mesos.work();
    harness.deliverAll();
    expect(harness.mesos.calls.at(-1)?.type).toBe('REVIVE');
    harness.rest();
    expect(harness.state.waiting.size).toBe(0);
  });
});

it('names shared executors by a hash of their ExecutorInfo', async () => {
  const [{ sharedExecutorOf }, { canonicalJson }] = await Promise.all([
    import('../../domain/executor.ts'),
    import('../../../json.ts'),
  ]);
  const texts: string[] = [];
  const hash = (text: string) => {
    texts.push(text);
    return String(texts.length).padStart(64, '0');
  };
  const one = sharedExecutorOf({ path: '/x', cluster: 'c', role: 'eng/dev' }, hash);
  sharedExecutorOf({ path: '/x', cluster: 'c', role: 'ops' }, hash);
  expect(one.idPrefix).toBe('mesosup-docker.000000000000.eng_dev');
  expect(texts[0]).not.toBe(texts[1]);
  // A release may launch tasks that executors of older ones do not understand.
  expect(texts[0]).toContain(RELEASE);
  expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2,"d":1}]}');
  expect(settings().dockerExecutor.idPrefix).toMatch(/\.default$/);
});
