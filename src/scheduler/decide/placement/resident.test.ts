import { describe, expect, it } from 'vitest';
import { appV2, changed, scale, settings, start, stop, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { launchedTasks } from '../../../mesos/operations.ts';
import type { OfferOperation } from '../../../mesos/types.ts';
import type { AgentSpec } from '../../../simulator/agent.ts';
import type { MesosHooks } from '../../../simulator/mesos.ts';
import { queueJson } from '../../api/v2/queue-views.ts';
import { tasksJson } from '../../api/v2/views.ts';

const AGENTS: AgentSpec[] = [
  { id: 'S0', host: 'a.example', cpus: 4, mem: 4096, ports: 10 },
  { id: 'S1', host: 'b.example', cpus: 4, mem: 4096, ports: 10 },
];
const SETTINGS = {
  role: 'databases',
  framework: { user: 'root', name: 'mesosup', roles: ['databases'], principal: 'me' },
};
const VOLUME = { containerPath: 'data', mode: 'RW', persistent: { size: 64 } };
const APP = {
  id: '/db',
  cpus: 1,
  mem: 128,
  container: { type: 'DOCKER', docker: { image: 'redis' }, volumes: [VOLUME] },
};

function harness(agents = AGENTS, hooks: MesosHooks = {}): Harness {
  const made = new Harness(agents, SETTINGS, hooks);
  made.connect();
  made.deliverAll();
  return made;
}

function running(more: object = {}, agents = AGENTS): Harness {
  const made = harness(agents);
  made.input(start(appV2({ ...APP, ...more })));
  made.rest();
  return made;
}

function record({ state }: Harness) {
  const found = state.apps.get('/db');
  if (!found) throw new Error('there is no app');
  return found;
}

function operations({ mesos }: Harness): OfferOperation[] {
  return mesos.calls.flatMap((call) => (call.type === 'ACCEPT' ? call.accept.operations : []));
}

function reservedOn({ mesos }: Harness) {
  return [...mesos.agents.values()].flatMap((agent) => agent.reserved);
}

function end(one: Harness, taskId = [...one.state.tasks.keys()][0] ?? ''): void {
  one.mesos.advance(taskId, 'TASK_FAILED');
  one.deliverAll();
}

describe('an app with a persistent volume', () => {
  it('reserves with labels and principal, creates the volume, and launches on the offer that comes back', () => {
    const one = running();
    const [task] = record(one).tasks.values();
    const id = task?.id.replace('._app.1', '') ?? '';
    expect(id).toMatch(/^db\.instance-/);
    const labels = {
      labels: [
        { key: 'marathon_framework_id', value: 'framework' },
        { key: 'marathon_task_id', value: id },
      ],
    };
    const reserved = {
      role: 'databases',
      reservation: { principal: 'me', labels },
      allocation_info: { role: 'databases' },
    };
    const [reserve, create, launch] = operations(one);
    const scalar = (name: string, value: number) => ({
      name,
      type: 'SCALAR',
      scalar: { value },
      ...reserved,
    });
    const ports = {
      name: 'ports',
      type: 'RANGES',
      ranges: { range: [{ begin: 31_000, end: 31_000 }] },
      ...reserved,
    };
    expect(reserve).toEqual({
      type: 'RESERVE',
      id: { value: `reserve:${id}:0` },
      reserve: { resources: [scalar('cpus', 1), scalar('mem', 128), scalar('disk', 64), ports] },
    });
    const uuid = id.slice('db.instance-'.length);
    const volume = {
      ...scalar('disk', 64),
      disk: {
        persistence: { id: `db#data#${uuid}`, principal: 'me' },
        volume: { container_path: 'data', mode: 'RW' },
      },
    };
    expect(create).toEqual({
      type: 'CREATE',
      id: { value: `create:${id}:0` },
      create: { volumes: [volume] },
    });
    expect(launch?.type).toBe('LAUNCH');
    const [info] = launchedTasks(operations(one));
    expect(info?.resources).toHaveLength(4);
    expect(info?.resources).toContainEqual(expect.objectContaining({ disk: volume.disk }));
    expect(info?.executor).toMatchObject({ executor_id: { value: `${id}._app.1` }, resources: [] });
    expect(info?.executor?.command?.environment?.variables).toContainEqual({
      name: 'MESOSUP_VOLUMES',
      value: 'data',
    });
    expect(tasksJson(record(one))).toMatchObject([
      {
        state: 'TASK_RUNNING',
        localVolumes: [{ runSpecId: '/db', containerPath: 'data', uuid, persistenceId: `db#data#${uuid}` }],
      },
    ]);
  });

  it('launches again with the same volume after its task has ended, also after a restart of the scheduler', () => {
    const one = running();
    const host = [...record(one).tasks.values()][0]?.host;
    for (let n = 2; n < 5; n += 1) {
      end(one);
      if (n === 3) one.restart();
      one.rest();
      const tasks = [...record(one).tasks.values()];
      expect(tasks).toMatchObject([{ host, state: 'TASK_RUNNING' }]);
      expect(tasks[0]?.id).toMatch(new RegExp(`\\._app\\.${n}$`));
    }
    expect(operations(one).filter(({ type }) => type === 'RESERVE')).toHaveLength(1);
  });

  it('waits for its agent, and says so', () => {
    const one = running();
    const [task] = record(one).tasks.values();
    one.mesos.remove(task?.agentId ?? '');
    one.deliverAll();
    one.mesos.offer();
    one.deliverAll();
    expect(record(one).tasks.size).toBe(0);
    const [item] = queueJson(one.state, one.now).queue;
    expect(item?.processedOffersSummary.reasons).toContain(
      `waiting for ${task?.host}, which has the persistent volumes of an instance`,
    );
    const summary = item?.processedOffersSummary.rejectSummaryLaunchAttempt;
    expect(
      summary?.find(({ reason }) => reason === 'NoCorrespondingReservationFound')?.declined,
    ).toBeGreaterThan(0);
  });

  it('keeps the reservations of instances that are scaled away, shows them, and uses them again', () => {
    const one = running({ instances: 3 });
    expect(reservedOn(one)).toHaveLength(0);
    one.input(scale('/db', 1));
    one.rest();
    expect(reservedOn(one)).toHaveLength(8);
    expect(tasksJson(record(one)).map(({ state }) => state)).toEqual([
      'TASK_RUNNING',
      'TASK_KILLED',
      'TASK_KILLED',
    ]);
    one.input(scale('/db', 3));
    one.rest();
    expect(record(one).tasks.size).toBe(3);
    expect(operations(one).filter(({ type }) => type === 'RESERVE')).toHaveLength(3);
  });

  it('gives everything back when an instance is wiped, and starts another one', () => {
    const one = running();
    const before = [...record(one).reservations.keys()];
    one.input({ type: 'kill_tasks', filter: { appId: '/db', host: '*' }, scale: false, wipe: true });
    one.rest();
    one.rest();
    const types = operations(one).map(({ type }) => type);
    expect(types).toContain('DESTROY');
    expect(types).toContain('UNRESERVE');
    expect(reservedOn(one)).toEqual([]);
    expect([...record(one).reservations.keys()]).not.toEqual(before);
    expect(record(one).tasks.size).toBe(1);
    expect(one.state.reservations.size).toBe(1);
    expect(one.state.leaving.size).toBe(0);
  });

  it('wipes an instance without a task, by its last task', () => {
    const one = running({ instances: 2 });
    one.input(scale('/db', 1));
    one.rest();
    const [, suspended] = tasksJson(record(one));
    const filter = { appId: '/db', taskId: suspended?.id ?? '' };
    const reply = one.input({ type: 'kill_tasks', filter, scale: false, wipe: true });
    expect(reply).toMatchObject({ type: 'killed', tasks: [{ id: suspended?.id }] });
    one.rest();
    expect(reservedOn(one)).toEqual([]);
    expect(record(one).tasks.size).toBe(1);
  });

  describe('whose wiped instance is on an agent that is lost', () => {
    function wiped(lose: (one: Harness, agentId: string) => void) {
      const one = running({}, AGENTS.slice(0, 1));
      one.input(scale('/db', 0));
      one.rest();
      lose(one, 'S0');
      one.input(stop('/db'));
      one.deliverAll();
      expect(one.state.leaving.size).toBe(1);
      one.pass(settings().reconciliationIntervalMs);
      one.deliverAll();
      return one;
    }

    it('forgets the reservation once an operator has marked the agent gone, and requests no more offers', () => {
      const one = wiped(({ mesos }, id) => mesos.remove(id));
      expect(one.state.leaving.size).toBe(0);
      expect(one.state.reservations.size).toBe(0);
      expect(one.state.suppressed).toBe(true);
    });

    it('requests no offers while the agent is unreachable, and gives everything back when it has returned', () => {
      const one = wiped(({ mesos }, id) => mesos.lose(id));
      expect(one.state.leaving.size).toBe(0);
      expect(one.state.suppressed).toBe(true);
      expect(one.state.reservations.size).toBe(1);
      one.mesos.bringBack('S0');
      one.pass(settings().reconciliationIntervalMs);
      one.rest();
      expect(reservedOn(one)).toEqual([]);
      expect(one.state.reservations.size).toBe(0);
      expect(one.state.suppressed).toBe(true);
    });

    it('gives everything back with an offer that others wait for', () => {
      const one = wiped(({ mesos }, id) => mesos.lose(id));
      one.mesos.bringBack('S0');
      one.input(start(appV2({ id: '/other' })));
      one.rest();
      expect(reservedOn(one)).toEqual([]);
      expect(one.state.reservations.size).toBe(0);
    });
  });

  it('gives everything back when the app is removed, also if the scheduler is killed in between', () => {
    const one = running({ instances: 2 });
    one.input(stop('/db'), { stored: true, calls: 0 });
    one.rest();
    one.rest();
    expect(reservedOn(one)).toEqual([]);
    expect(one.state.reservations.size).toBe(0);
    expect(one.mesos.live()).toEqual([]);
  });

  it('is updated instance by instance, each in its own resources', () => {
    const one = running({ instances: 2 });
    const ids = [...record(one).reservations.keys()];
    one.input(update('/db', { env: { A: '1' } }));
    one.rest();
    expect([...record(one).reservations.keys()]).toEqual(ids);
    expect([...record(one).tasks.values()].map(({ id }) => id.slice(-2)).sort()).toEqual(['.2', '.2']);
    expect(one.state.deployments.size).toBe(0);
  });

  it('shows a refused operation in the queue and delays the next attempt', () => {
    let refuses = true;
    const one = harness(AGENTS, {
      refuseOperation: ({ type }) => (refuses && type === 'RESERVE' ? 'not authorized' : undefined),
    });
    one.input(start(appV2(APP)));
    one.deliverAll();
    one.mesos.offer();
    one.deliverAll();
    const [item] = queueJson(one.state, one.now).queue;
    expect(item?.processedOffersSummary.reasons).toContainEqual(
      expect.stringContaining('RESERVE was refused: not authorized'),
    );
    expect(item?.delay.overdue).toBe(false);
    expect(one.state.reservations.size).toBe(0);
    refuses = false;
    one.rest();
    expect(record(one).tasks.size).toBe(1);
    expect(record(one).refusedOperation).toBeUndefined();
  });

  it('is not delayed because the volume of a wiped instance can not be destroyed', () => {
    const one = harness(AGENTS, {
      refuseOperation: ({ type }) => (type === 'DESTROY' ? 'not authorized' : undefined),
    });
    one.input(start(appV2(APP)));
    one.rest();
    one.input({ type: 'kill_tasks', filter: { appId: '/db', host: '*' }, scale: false, wipe: true });
    one.rest();
    one.mesos.offer();
    one.deliverAll();
    expect(operations(one).map(({ type }) => type)).toContain('DESTROY');
    expect(record(one).delay).toBeUndefined();
    expect(record(one).tasks.size).toBe(1);
    expect(one.state.leaving.size).toBe(1);
  });

  it('gives reserved resources back if the volume is refused', () => {
    const one = harness(AGENTS, {
      refuseOperation: ({ type }) => (type === 'CREATE' ? 'not authorized' : undefined),
    });
    one.input(start(appV2(APP)));
    one.deliverAll();
    for (let n = 0; n < 5; n += 1) {
      one.mesos.offer();
      one.deliverAll();
    }
    expect(reservedOn(one)).toEqual([]);
    expect(one.state.reservations.size).toBe(0);
  });

  it('reserves again if the operation was lost', () => {
    const one = harness();
    one.input(start(appV2(APP)));
    one.mesos.offer();
    one.deliver({ stored: true, calls: 0 });
    expect(one.state.reservations.size).toBe(1);
    one.rest();
    expect(record(one).tasks.size).toBe(1);
    expect(one.state.reservations.size).toBe(1);
    expect(reservedOn(one)).toEqual([]);
  });

  it.each([
    ['launches on its volume', false, ['.2']],
    ['gives a removed one back', true, []],
  ])('of a framework that the master has removed: its successor %s', (_, removes, ends) => {
    const one = running();
    end(one);
    one.input({ type: 'mesos', event: { type: 'ERROR', error: { message: 'Framework has been removed' } } });
    expect(one.state.frameworkId).toBeUndefined();
    one.connect();
    const framework_id = { value: 'successor' };
    one.mesos.inbox = one.mesos.inbox.map((event) =>
      event.type === 'SUBSCRIBED' ? { ...event, subscribed: { ...event.subscribed, framework_id } } : event,
    );
    one.deliverAll();
    expect(one.state.frameworkId).toBe('successor');
    if (removes) one.input(stop('/db'));
    one.rest();
    one.rest();
    expect([...one.state.tasks.keys()].map((id) => id.slice(-2))).toEqual(ends);
    expect(reservedOn(one)).toEqual([]);
    expect(one.state.leaving.size).toBe(0);
  });

  it('is not bound to an agent without its containerizer', () => {
    const one = harness();
    const labels = { MESOSUP_CONTAINERIZER: 'mesos' };
    one.input(start(appV2({ ...APP, cmd: 'x', container: { ...APP.container, type: 'MESOS' }, labels })));
    one.deliverAll();
    one.mesos.offer();
    for (const event of one.mesos.inbox) {
      if (event.type !== 'OFFERS') continue;
      for (const offer of event.offers.offers) {
        offer.url = { scheme: 'http', address: { ip: '10.0.0.1', port: 5051 } };
      }
    }
    one.deliverAll();
    expect(operations(one)).toEqual([]);
    const flagsOf = (providers: string[]) => ({
      containerizers: ['mesos'],
      image_providers: providers,
      isolation: ['docker/runtime'],
    });
    one.input({ type: 'agent_answered', agentId: 'S0', flags: flagsOf([]) });
    one.input({ type: 'agent_answered', agentId: 'S1', flags: flagsOf(['docker']) });
    one.rest();
    expect([...record(one).tasks.values()].map(({ agentId }) => agentId)).toEqual(['S1']);
  });

  it('does not use the reservation of another app or framework', () => {
    const one = running();
    end(one);
    one.input(start(appV2({ id: '/other', cpus: 8 })));
    one.rest();
    expect(one.state.apps.get('/other')?.tasks.size).toBe(0);
    expect(record(one).tasks.size).toBe(1);
  });

  it('keeps constraints among its instances, also while one has no task', () => {
    const one = running({ instances: 2, constraints: [['hostname', 'UNIQUE']] });
    const hosts = () => [...record(one).tasks.values()].map(({ host }) => host).sort();
    expect(hosts()).toEqual(['a.example', 'b.example']);
    end(one);
    one.rest();
    expect(hosts()).toEqual(['a.example', 'b.example']);
  });
});

describe('refused are', () => {
  const refusal = (fields: object, more = SETTINGS) => {
    const one = new Harness(AGENTS, more);
    const reply = one.input(
      changed([{ op: 'update', appId: '/db', fields: { ...APP, ...fields }, partial: false, upsert: true }]),
    );
    return reply?.type === 'invalid'
      ? reply.errors.map(({ path, error }) => `${path.join('.')}: ${error}`)
      : reply?.type;
  };
  it('the role *', () => {
    expect(refusal({}, { role: '*', framework: { ...SETTINGS.framework, roles: ['*'] } })).toEqual([
      expect.stringMatching(/^container\.volumes\.0\.persistent: needs a scheduler with a role of its own/),
    ]);
  });
  it('a container of the Docker executor whose image is not named in container.docker', () => {
    const { path } = settings().dockerExecutor;
    const container = { type: 'MESOS', volumes: [VOLUME] };
    expect(refusal({ executor: path, cmd: 'redis', container })).toEqual([
      expect.stringMatching(/^container\.docker: may not be empty/),
    ]);
  });
  it.each<[object, string]>([
    [{ unreachableStrategy: { inactiveAfterSeconds: 1 } }, 'unreachableStrategy: must be'],
    [{ upgradeStrategy: { maximumOverCapacity: 1 } }, 'upgradeStrategy.maximumOverCapacity: must be 0'],
    [{ acceptedResourceRoles: ['databases'] }, 'acceptedResourceRoles: must be ["*"]'],
    [{ mode: 'daemon' }, 'mode: must be service'],
  ])('%j', (fields, error) => {
    expect(refusal(fields)).toContainEqual(expect.stringContaining(error));
  });
  it.each<[object, string]>([
    [{ containerPath: 'a/b' }, 'containerPath: must be a name in the sandbox'],
    [{ containerPath: '..' }, 'containerPath: must be a name in the sandbox'],
    [{ containerPath: 'tasks' }, 'containerPath: may not be tasks'],
    [{ mode: 'RO' }, 'mode: must be RW'],
    [{ hostPath: '/srv' }, "hostPath: can't be combined"],
    [{ persistent: {} }, 'persistent.size'],
    [{ persistent: { size: 1, profileName: 'fast' } }, 'persistent.profileName: is not supported'],
    [{ persistent: { size: 8, maxSize: 16 } }, 'persistent.maxSize: is only for'],
    [
      { persistent: { size: 8, constraints: [['path', 'LIKE', '/a']] } },
      'persistent.constraints: are not for',
    ],
    [
      { persistent: { size: 8, type: 'path', constraints: [['path', 'IS', '/a']] } },
      'must be LIKE or UNLIKE',
    ],
  ])('the volume %j', (volume, error) => {
    const container = { ...APP.container, volumes: [{ ...VOLUME, ...volume }] };
    expect(refusal({ container })).toContainEqual(expect.stringContaining(error));
  });
  it.each([
    [{ cpus: 2 }, 'cpus'],
    [
      { container: { ...APP.container, volumes: [{ ...VOLUME, persistent: { size: 128 } }] } },
      'container.volumes',
    ],
  ])('the change %j of reserved resources', (fields, path) => {
    const one = running();
    const reply = one.input(update('/db', fields));
    expect(reply).toMatchObject({ type: 'invalid' });
    expect(JSON.stringify(reply)).toContain(JSON.stringify(path.split('.')));
  });
});

describe('a volume of type', () => {
  const disk = (type: 'PATH' | 'MOUNT', root: string, value: number) => ({
    name: 'disk',
    type: 'SCALAR' as const,
    scalar: { value },
    disk: { source: { type, [type.toLowerCase()]: { root } } },
  });
  const agents: AgentSpec[] = [
    {
      ...(AGENTS[0] as AgentSpec),
      reserved: [disk('PATH', '/path', 500), disk('MOUNT', '/big', 900), disk('MOUNT', '/small', 200)],
    },
  ];
  it.each([
    [{ type: 'path', size: 64 }, '/path', 64],
    [{ type: 'mount', size: 64 }, '/small', 200],
    [{ type: 'mount', size: 300 }, '/big', 900],
    [{ type: 'mount', size: 64, constraints: [['path', 'UNLIKE', '/small']] }, '/big', 900],
  ])('%j is on the disk %s with %d MiB', (persistent, root, size) => {
    const container = { ...APP.container, volumes: [{ ...VOLUME, persistent }] };
    const one = running({ container }, agents);
    const [info] = launchedTasks(operations(one));
    const volume = info?.resources.find((resource) => resource.disk?.persistence);
    expect(volume?.scalar?.value).toBe(size);
    expect(volume?.disk?.source).toMatchObject({ [persistent.type]: { root } });
  });
  it('mount waits if no disk is within its limits', () => {
    const persistent = { type: 'mount', size: 250, maxSize: 800 };
    const one = running({ container: { ...APP.container, volumes: [{ ...VOLUME, persistent }] } }, agents);
    expect(record(one).tasks.size).toBe(0);
  });
});
