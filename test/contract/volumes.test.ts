/** Dynamic reservations and persistent volumes: what operations change, how they are reported, and what survives. */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Offer, OfferOperation, OperationStatus, Resource } from '../../src/mesos/types.ts';
import { TestFramework, unique } from './support/framework.ts';
import { agentAddress, canRestart, getJson, master, restart } from './support/mesos.ts';
import { commandTask } from './support/tasks.ts';

const PRINCIPAL = 'contract-volumes';

interface Agent {
  id: string;
  reserved_resources: Record<string, Record<string, number | string>>;
  reserved_resources_full: Record<string, Resource[]>;
}

async function reservedFor(role: string): Promise<{ sums: unknown; full: Resource[] }> {
  const { slaves } = await getJson<{ slaves: Agent[] }>(master, '/slaves');
  const sums = slaves.map((agent) => agent.reserved_resources[role]).find((one) => one !== undefined);
  return { sums, full: slaves.flatMap((agent) => agent.reserved_resources_full[role] ?? []) };
}

const labels = { labels: [{ key: 'instance', value: 'one' }] };

function subscribe(role: string, more: string[] = [], principal: string | undefined = PRINCIPAL) {
  const capabilities = ['MULTI_ROLE', 'PARTITION_AWARE', ...more].map((type) => ({ type }));
  return TestFramework.subscribe({
    info: { roles: [role], capabilities, ...(principal !== undefined && { principal }) },
  });
}

/** In the form of a framework without RESERVATION_REFINEMENT. */
function reserved(role: string, name: string, value: number): Resource {
  return {
    name,
    type: 'SCALAR',
    scalar: { value },
    role,
    reservation: { principal: PRINCIPAL, labels },
    allocation_info: { role },
  };
}

function volume(role: string, id: string, size = 16, path = 'data'): Resource {
  return {
    ...reserved(role, 'disk', size),
    disk: {
      persistence: { id, principal: PRINCIPAL },
      volume: { container_path: path, mode: 'RW' },
    },
  };
}

async function apply(
  framework: TestFramework,
  offer: Offer,
  operations: OfferOperation[],
  refuse_seconds = 0,
) {
  const filters = { refuse_seconds };
  await framework.call({ type: 'ACCEPT', accept: { offer_ids: [offer.id], operations, filters } });
}

async function result(framework: TestFramework, id: string): Promise<OperationStatus> {
  const event = await framework.until(
    `the result of operation ${id}`,
    (one): one is Extract<typeof one, { type: 'UPDATE_OPERATION_STATUS' }> =>
      one.type === 'UPDATE_OPERATION_STATUS' && one.update_operation_status.status.operation_id?.value === id,
  );
  return event.update_operation_status.status;
}

async function acknowledge(framework: TestFramework, { agent_id, uuid, operation_id }: OperationStatus) {
  if (!agent_id || !uuid || !operation_id) throw new Error('needs no acknowledgement');
  await framework.call({
    type: 'ACKNOWLEDGE_OPERATION_STATUS',
    acknowledge_operation_status: { agent_id, uuid: uuid.value, operation_id },
  });
}

/** Performs operations one after the other in one ACCEPT, and acknowledges their results. */
async function perform(framework: TestFramework, offer: Offer, operations: OfferOperation[]) {
  await apply(framework, offer, operations);
  const results: OperationStatus[] = [];
  for (const one of operations) {
    const id = 'id' in one ? one.id?.value : undefined;
    if (id === undefined) continue;
    const found = await result(framework, id);
    results.push(found);
    if (found.uuid) await acknowledge(framework, found);
  }
  return results;
}

const op = () => ({ id: { value: unique('operation') } });

/** Waits for an offer with a volume. */
async function offerWithVolume(framework: TestFramework, role: string, id: string): Promise<Offer> {
  for (;;) {
    const offer = await framework.offer({ role });
    if (offer.resources.some(({ disk }) => disk?.persistence?.id === id)) return offer;
    await framework.decline(offer, 0.1);
  }
}

async function clean(framework: TestFramework, role: string, offer: Offer): Promise<void> {
  const own = offer.resources.filter((one) => one.role === role && one.reservation);
  const volumes = own.filter(({ disk }) => disk?.persistence);
  const resources = own.map(({ disk: _, ...rest }) => rest);
  const operations: OfferOperation[] = [
    ...(volumes.length > 0 ? [{ type: 'DESTROY' as const, ...op(), destroy: { volumes } }] : []),
    { type: 'UNRESERVE', ...op(), unreserve: { resources } },
  ];
  for (const { state, message } of await perform(framework, offer, operations)) {
    expect({ state, message }).toEqual({ state: 'OPERATION_FINISHED', message: undefined });
  }
}

async function volumeFile(role: string, id: string, name: string): Promise<string> {
  const { flags } = await getJson<{ flags: { work_dir: string } }>(await agentAddress(), '/flags');
  return `${flags.work_dir}/volumes/roles/${role}/${id}/${name}`;
}

describe('reservations and volumes', () => {
  it('are made, shown, offered again, used by a task, and removed with their data', async () => {
    const role = unique('role');
    const id = unique('volume');
    await using framework = await subscribe(role);
    const made = await perform(framework, await framework.offer({ role }), [
      {
        type: 'RESERVE',
        ...op(),
        reserve: {
          resources: [reserved(role, 'cpus', 0.1), reserved(role, 'mem', 32), reserved(role, 'disk', 16)],
        },
      },
      { type: 'CREATE', ...op(), create: { volumes: [volume(role, id)] } },
    ]);
    for (const status of made) {
      expect(status).toEqual({
        operation_id: expect.anything(),
        state: 'OPERATION_FINISHED',
        uuid: { value: expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/) },
        agent_id: expect.anything(),
      });
    }
    const { sums, full } = await reservedFor(role);
    expect(sums).toEqual({ cpus: 0.1, mem: 32, disk: 16, gpus: 0 });
    const stack = [{ type: 'DYNAMIC', role, principal: PRINCIPAL, labels }];
    const disk = volume(role, id).disk;
    const plain = { role, reservation: { principal: PRINCIPAL, labels }, reservations: stack };
    expect(full).toEqual(
      expect.arrayContaining([
        { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 }, ...plain },
        { name: 'disk', type: 'SCALAR', scalar: { value: 16 }, disk, ...plain },
      ]),
    );

    const offer = await offerWithVolume(framework, role, id);
    expect(offer.resources).toEqual(expect.arrayContaining([reserved(role, 'cpus', 0.1), volume(role, id)]));
    const taskId = unique('task');
    const task = {
      ...commandTask(offer, 'echo written > data/file && sleep 600', { task_id: { value: taskId } }),
      resources: [reserved(role, 'cpus', 0.1), reserved(role, 'mem', 32), volume(role, id)],
    };
    await framework.accept(offer, [task], { refuse_seconds: 0 });
    await framework.update(taskId, 'TASK_RUNNING');
    const file = await volumeFile(role, id, 'file');
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8')).toBe('written\n');
    await framework.call({ type: 'KILL', kill: { task_id: { value: taskId } } });
    await framework.update(taskId, 'TASK_KILLED');

    await clean(framework, role, await offerWithVolume(framework, role, id));
    await expect.poll(async () => (await reservedFor(role)).sums).toBeUndefined();
    await expect.poll(() => existsSync(file)).toBe(false);
  });

  it('are made and used in a single ACCEPT', async () => {
    const role = unique('role');
    const id = unique('volume');
    await using framework = await subscribe(role);
    const offer = await framework.offer({ role });
    const taskId = unique('task');
    const task = {
      ...commandTask(offer, 'touch data/file', { task_id: { value: taskId } }),
      resources: [reserved(role, 'cpus', 0.1), reserved(role, 'mem', 32), volume(role, id)],
    };
    const resources = [reserved(role, 'cpus', 0.1), reserved(role, 'mem', 32), reserved(role, 'disk', 16)];
    await perform(framework, offer, [
      { type: 'RESERVE', ...op(), reserve: { resources } },
      { type: 'CREATE', ...op(), create: { volumes: [volume(role, id)] } },
      { type: 'LAUNCH', launch: { task_infos: [task] } },
    ]);
    await framework.update(taskId, 'TASK_FINISHED');
    expect(existsSync(await volumeFile(role, id, 'file'))).toBe(true);
    await clean(framework, role, await offerWithVolume(framework, role, id));
  });

  describe('with RESERVATION_REFINEMENT', () => {
    it('have a stack of reservations, which can be refined', async () => {
      const parent = unique('role');
      const role = `${parent}/child`;
      await using framework = await subscribe(parent, ['RESERVATION_REFINEMENT']);
      const first = { type: 'DYNAMIC' as const, role: parent, principal: PRINCIPAL };
      const cpus = (allocated: string, ...reservations: (typeof first)[]): Resource => ({
        name: 'cpus',
        type: 'SCALAR',
        scalar: { value: 0.2 },
        ...(reservations.length > 0 && { reservations }),
        allocation_info: { role: allocated },
      });
      await perform(framework, await framework.offer({ role: parent }), [
        { type: 'RESERVE', ...op(), reserve: { resources: [cpus(parent, first)] } },
      ]);
      await using child = await subscribe(role, ['RESERVATION_REFINEMENT']);
      await framework.call({ type: 'SUPPRESS', suppress: { roles: [parent] } });
      let offer = await child.offer({ role });
      expect(offer.resources).toContainEqual(cpus(role, first));
      const second = { ...first, role };
      const [refined] = await perform(child, offer, [
        { type: 'RESERVE', ...op(), reserve: { resources: [cpus(role, first, second)] } },
      ]);
      expect(refined?.state).toBe('OPERATION_FINISHED');
      expect((await reservedFor(role)).sums).toMatchObject({ cpus: 0.2 });
      offer = await child.offer({ role });
      expect(offer.resources).toContainEqual(cpus(role, first, second));
      await perform(child, offer, [
        { type: 'UNRESERVE', ...op(), unreserve: { resources: [cpus(role, first, second)] } },
        { type: 'UNRESERVE', ...op(), unreserve: { resources: [cpus(role, first)] } },
      ]);
      expect((await reservedFor(role)).sums).toBeUndefined();
      expect((await reservedFor(parent)).sums).toBeUndefined();
    });
  });

  describe('are refused', () => {
    const role = unique('role');
    const id = 'refused';
    const cases: [string, () => OfferOperation, RegExp][] = [
      [
        'for the role *',
        () => ({
          type: 'RESERVE',
          ...op(),
          reserve: { resources: [{ ...reserved(role, 'cpus', 0.1), role: '*' }] },
        }),
        /Invalid reservation|is not dynamically reserved|role "\*" cannot/,
      ],
      [
        'with another principal',
        () => ({
          type: 'RESERVE',
          ...op(),
          reserve: { resources: [{ ...reserved(role, 'cpus', 0.1), reservation: { principal: 'another' } }] },
        }),
        /attempted by authenticated principal 'contract-volumes', which does not match/,
      ],
      [
        'without principal',
        () => ({
          type: 'RESERVE',
          ...op(),
          reserve: { resources: [{ ...reserved(role, 'cpus', 0.1), reservation: {} }] },
        }),
        /reserved resource in the request with no principal set/,
      ],
      [
        'for more than offered',
        () => ({ type: 'RESERVE', ...op(), reserve: { resources: [reserved(role, 'cpus', 99_999)] } }),
        /does not contain cpus/,
      ],
      [
        'as a volume without reservation',
        () => ({ type: 'CREATE', ...op(), create: { volumes: [volume(role, id)] } }),
        /does not contain disk/,
      ],
      [
        'as a volume that is no volume',
        () => ({ type: 'CREATE', ...op(), create: { volumes: [reserved(role, 'disk', 16)] } }),
        /Not a persistent volume: Resource disk.* does not have DiskInfo/,
      ],
      [
        'as a read-only volume',
        () => {
          const made = volume(role, id);
          made.disk = { ...made.disk, volume: { container_path: 'data', mode: 'RO' } };
          return { type: 'CREATE', ...op(), create: { volumes: [made] } };
        },
        /Read-only persistent volume not supported/,
      ],
      [
        'for the destruction of an unknown volume',
        () => ({ type: 'DESTROY', ...op(), destroy: { volumes: [volume(role, id)] } }),
        /^Persistent volumes not found/,
      ],
    ];
    it.each(cases)('%s', async (_, make, message) => {
      await using framework = await subscribe(role);
      const operation = make();
      const [status] = await perform(framework, await framework.offer({ role }), [operation]);
      expect(status).toEqual({
        operation_id: 'id' in operation && operation.id,
        state: 'OPERATION_ERROR',
        message: expect.stringMatching(message),
      });
    });

    it('with an offer that is gone', async () => {
      await using framework = await subscribe(role);
      const offer = await framework.offer({ role });
      await framework.decline(offer);
      const resources = [reserved(role, 'cpus', 0.1)];
      const [status] = await perform(framework, offer, [
        { type: 'RESERVE', ...op(), reserve: { resources } },
      ]);
      expect(status).toMatchObject({
        state: 'OPERATION_ERROR',
        message: expect.stringMatching(/invalid offers: Offer .* is no longer valid/),
      });
    });
  });

  it('answer a reconciliation of operations', async () => {
    const role = unique('role');
    await using framework = await subscribe(role);
    const offer = await framework.offer({ role });
    const operation_id = { value: unique('unknown') };
    await framework.call({
      type: 'RECONCILE_OPERATIONS',
      reconcile_operations: { operations: [{ operation_id, agent_id: offer.agent_id }] },
    });
    expect(await result(framework, operation_id.value)).toMatchObject({ state: 'OPERATION_UNKNOWN' });
    await framework.decline(offer);
  });
});

describe('a restart', () => {
  it.each(['agent', 'master'] as const)(
    'of the %s keeps reservations, volumes and data',
    { timeout: 120_000 },
    async (who) => {
      if (!canRestart(who)) return;
      const role = unique('role');
      const id = unique('volume');
      let framework = await subscribe(role);
      try {
        await perform(framework, await framework.offer({ role }), [
          { type: 'RESERVE', ...op(), reserve: { resources: [reserved(role, 'disk', 16)] } },
          { type: 'CREATE', ...op(), create: { volumes: [volume(role, id)] } },
        ]);
        await restart(who);
        // Without ZooKeeper, a real agent returns only when pings of the master have been missing for too long.
        await expect.poll(async () => (await reservedFor(role)).sums, { timeout: 100_000 }).toBeDefined();
        if (who === 'master') {
          framework.disconnect();
          framework = await TestFramework.subscribe({ info: framework.info });
        }
        const offer = await offerWithVolume(framework, role, id);
        expect((await reservedFor(role)).sums).toMatchObject({ disk: 16 });
        await clean(framework, role, offer);
      } finally {
        await framework[Symbol.asyncDispose]();
      }
    },
  );
});
