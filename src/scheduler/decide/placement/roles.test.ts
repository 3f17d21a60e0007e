import { describe, expect, it } from 'vitest';
import { appV2, settings, start } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { launchedTasks } from '../../../mesos/operations.ts';
import type { Resource, TaskInfo } from '../../../mesos/types.ts';
import { sharedExecutorOf } from '../../domain/executor.ts';
import type { Settings } from '../../domain/settings.ts';

const ROLE = 'eng/dev';
const ALLOCATED = { allocation_info: { role: ROLE } };
const NOBODY = { role: '*', ...ALLOCATED };
/** Mesos' formats for reservations. */
const STATIC = { role: ROLE, ...ALLOCATED };
const DYNAMIC = { role: ROLE, reservation: { principal: 'ops' }, ...ALLOCATED };
const REFINED = { reservations: [{ type: 'STATIC' as const, role: 'eng' }, { role: ROLE }], ...ALLOCATED };

type Identity = Omit<Resource, 'name' | 'type'>;

function scalar(name: string, value: number, identity: Identity): Resource {
  return { name, type: 'SCALAR', scalar: { value }, ...identity };
}

function ports(begin: number, end: number, identity: Identity): Resource {
  return { name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] }, ...identity };
}

function withRole(role = ROLE): Partial<Settings> {
  const dockerExecutor = sharedExecutorOf({ path: '/x', cluster: 'c', role }, () => '0123456789abcdef');
  return { role, dockerExecutor };
}

/** Launches the app with one offer. */
function launched(resources: Resource[], app: Record<string, unknown>, executors: string[] = []): TaskInfo[] {
  return offer(resources, app, executors).tasks;
}

function offer(resources: Resource[], app: Record<string, unknown>, executors: string[] = []) {
  const harness = new Harness([], withRole());
  harness.connect();
  harness.deliverAll();
  harness.mesos.call = (call) => harness.mesos.calls.push(call);
  harness.input(start(appV2({ portDefinitions: [], instances: 1, mem: 32, ...app })));
  const made = {
    id: { value: 'o' },
    framework_id: { value: 'f' },
    agent_id: { value: 'S0' },
    hostname: 'a',
    resources,
    executor_ids: executors.map((value) => ({ value })),
  };
  harness.input({ type: 'mesos', event: { type: 'OFFERS', offers: { offers: [made] } } });
  const tasks = harness.mesos.calls.flatMap((call) =>
    call.type === 'ACCEPT' ? launchedTasks(call.accept.operations) : [],
  );
  return { tasks, harness };
}

const IMAGE = { container: { docker: { image: 'x' } } };

describe('reserved resources', () => {
  it.each([
    ['statically', STATIC],
    ['dynamically', DYNAMIC],
    ['with refinement', REFINED],
    ['for a role above', { ...STATIC, role: 'eng' }],
  ])('that are reserved %s are used first, as they were offered', (_how, identity) => {
    const offered = [scalar('cpus', 4, NOBODY), scalar('mem', 64, NOBODY)];
    const reserved = [scalar('cpus', 4, identity), scalar('mem', 64, identity)];
    expect(launched([...offered, ...reserved], { cpus: 2 })[0]?.resources).toEqual([
      scalar('cpus', 2, identity),
      scalar('mem', 32, identity),
    ]);
  });

  it('are combined if no single reservation is enough', () => {
    const resources = [
      scalar('cpus', 1.5, NOBODY),
      scalar('cpus', 0.251, STATIC),
      scalar('cpus', 0.25, DYNAMIC),
      scalar('mem', 100, NOBODY),
      ports(31_000, 31_001, STATIC),
      ports(80, 90, NOBODY),
    ];
    const app = { cpus: 2.001, portDefinitions: [{}, {}, {}] };
    expect(launched(resources, app)[0]?.resources).toEqual([
      scalar('cpus', 0.251, STATIC),
      scalar('cpus', 0.25, DYNAMIC),
      scalar('cpus', 1.5, NOBODY),
      scalar('mem', 32, NOBODY),
      ports(31_000, 31_001, STATIC),
      ports(80, 80, NOBODY),
    ]);
    expect(launched(resources, { ...app, cpus: 2.002 })).toEqual([]);
  });

  it.each<[string[] | undefined, Identity]>([
    [undefined, STATIC],
    [[ROLE, '*'], STATIC],
    [['*'], NOBODY],
    [[ROLE], STATIC],
  ])('are used according to acceptedResourceRoles %j', (acceptedResourceRoles, identity) => {
    const resources = [STATIC, NOBODY].flatMap((one) => [scalar('cpus', 2, one), scalar('mem', 64, one)]);
    const [task] = launched(resources, { cpus: 1, acceptedResourceRoles });
    expect(task?.resources[0]).toEqual(scalar('cpus', 1, identity));
    const both = launched(resources, { cpus: 3, acceptedResourceRoles });
    expect(both).toHaveLength(acceptedResourceRoles?.length === 1 ? 0 : 1);
  });

  it('are reported if the app accepts none of their roles', () => {
    const resources = [scalar('cpus', 2, STATIC), scalar('mem', 64, STATIC)];
    const { harness } = offer(resources, { cpus: 1, acceptedResourceRoles: ['*'] });
    const [refusal] = harness.state.apps.get('/sleeper')?.refusals.values() ?? [];
    expect(refusal?.reason).toBe('roles: * accepted, eng/dev offered');
    expect(refusal?.checks.filter(({ ok }) => !ok)).toHaveLength(1);
  });

  it.each<[string, Resource[]]>([
    ['of other roles', [scalar('cpus', 9, { role: 'ops' }), scalar('mem', 99, { role: 'engine' })]],
    ['that are volumes', [scalar('cpus', 9, NOBODY), scalar('mem', 99, { ...NOBODY, disk: {} })]],
    ['that may be taken back', [scalar('cpus', 9, { ...NOBODY, revocable: {} }), scalar('mem', 99, NOBODY)]],
    ['that are shared', [scalar('cpus', 9, { ...NOBODY, shared: {} }), scalar('mem', 99, NOBODY)]],
  ])('%s are ignored', (_what, resources) => {
    expect(launched(resources, { cpus: 1 })).toEqual([]);
  });

  it.each([
    [{ acceptedResourceRoles: ['*', 'ops'] }, ['acceptedResourceRoles', 1], /'ops' is never offered/],
    [{ role: 'ops' }, ['role'], /must be 'eng\/dev'/],
  ])('that are never offered are rejected with the app: %j', (more, path, error) => {
    const harness = new Harness([], withRole());
    const reply = harness.input(start(appV2(more)));
    expect(reply).toMatchObject({ type: 'invalid', errors: [{ path, error: expect.stringMatching(error) }] });
    expect(harness.input(start(appV2({ role: ROLE })))).toMatchObject({ type: 'deployed' });
  });
});

describe("the shared executor's resources", () => {
  const RESERVED = [scalar('cpus', 4, STATIC), scalar('mem', 256, STATIC)];
  const FREE = [scalar('cpus', 0.1, NOBODY), scalar('mem', 64, NOBODY)];
  const PREFIX = 'mesosup-docker.0123456789ab.eng_dev';

  it('are unreserved if possible, so that the executor is the same on every agent', () => {
    const tasks = launched([...RESERVED, ...FREE], { ...IMAGE, instances: 2 });
    expect(tasks).toHaveLength(2);
    for (const { executor, resources } of tasks) {
      expect(executor?.executor_id.value).toBe(`${PREFIX}.0`);
      expect(executor?.resources).toEqual(FREE);
      expect(resources).toEqual([scalar('cpus', 1, STATIC), scalar('mem', 32, STATIC)]);
    }
  });

  it.each([
    ['there are no others', RESERVED, undefined],
    ['the others are too small', [...RESERVED, scalar('cpus', 0.05, NOBODY)], undefined],
    ['the app takes no others', [...RESERVED, ...FREE], [ROLE]],
  ])('are reserved if %s, in an executor with another id', (_why, resources, acceptedResourceRoles) => {
    const tasks = launched(resources, { ...IMAGE, instances: 3, acceptedResourceRoles });
    expect(tasks).toHaveLength(3);
    const ids = new Set(tasks.map(({ executor }) => executor?.executor_id.value));
    expect(ids.size).toBe(1);
    expect([...ids][0]).toMatch(/^mesosup-docker\.0123456789ab\.eng_dev-[0-9a-f]{8}\.0$/);
    expect(tasks[0]?.executor?.resources).toEqual([scalar('cpus', 0.1, STATIC), scalar('mem', 64, STATIC)]);
  });

  it('differ with the reservation, and so does the id', () => {
    const idOn = (identity: Identity) => {
      const resources = [scalar('cpus', 2, identity), scalar('mem', 99, identity)];
      return launched(resources, IMAGE)[0]?.executor?.executor_id.value;
    };
    expect(new Set([idOn(STATIC), idOn(DYNAMIC), idOn(REFINED), idOn(NOBODY)]).size).toBe(4);
  });

  it('are not taken again if an executor is running', () => {
    const resources = [scalar('cpus', 1, STATIC), scalar('mem', 32, STATIC)];
    const [first] = launched([scalar('cpus', 2, STATIC), scalar('mem', 96, STATIC)], IMAGE);
    const id = first?.executor?.executor_id.value ?? '';
    expect(launched(resources, IMAGE)).toEqual([]);
    expect(launched(resources, IMAGE, [id])[0]?.executor).toEqual(first?.executor);
    // A running executor is suitable for any app.
    const [task] = launched(resources, { ...IMAGE, acceptedResourceRoles: [ROLE] }, [`${PREFIX}.0`]);
    expect(task?.executor?.resources).toEqual(FREE);
  });

  it('must have a single role', () => {
    const resources = [STATIC, NOBODY].flatMap((one) => [scalar('cpus', 0.06, one), scalar('mem', 99, one)]);
    const { tasks, harness } = offer(resources, { ...IMAGE, cpus: 0.02 });
    expect(tasks).toEqual([]);
    const [refusal] = harness.state.apps.get('/sleeper')?.refusals.values() ?? [];
    expect(refusal?.reason).toBe(
      'cpus: 0.12 wanted, including 0.1 for its executor, 0.12 offered, split across several roles',
    );
  });
});

it('limits the number of tasks per offer according to the flag', () => {
  const harness = new Harness([{ id: 'S0', host: 'a', cpus: 4, mem: 4096, ports: 0 }], {
    ...settings(),
    maxInstancesPerOffer: 2,
  });
  harness.input(start(appV2({ portDefinitions: [], instances: 3, cpus: 0.1, mem: 1 })));
  harness.rest();
  const launches = harness.mesos.calls.flatMap((call) =>
    call.type === 'ACCEPT' ? [launchedTasks(call.accept.operations).length] : [],
  );
  expect(launches).toEqual([2, 1]);
});
