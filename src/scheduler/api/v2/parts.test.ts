import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call, get, SLEEPER, server } from '../../../../test/scheduler/api-server.ts';
import { appV2, changed, scale, start, stop, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { runs } from '../../../../test/support/runs.ts';
import type { AppRecord } from '../../domain/state.ts';
import { endpointsText, haproxyText } from '../endpoints.ts';
import { EMBEDS } from './apps.ts';
import { partOf } from './parts.ts';
import { taskParts } from './tasks.ts';
import { appParts, type Embed } from './views.ts';

const ALL: ReadonlySet<Embed> = new Set(EMBEDS);

/** Requests and their answers. */
const QUESTIONS: ((records: readonly AppRecord[]) => readonly unknown[])[] = [
  (records) => appParts(records, ALL, '*').map(({ text }) => text),
  (records) => appParts(records, new Set(['counts']), '*').map(({ text }) => text),
  (records) =>
    appParts(records, new Set(), '*', { fields: new Set(['id', 'instances']) }).map(({ text }) => text),
  (records) => taskParts(records, {}).map(({ text }) => text),
  (records) => endpointsText(records, false),
  (records) => endpointsText(records, true),
  (records) => haproxyText(records),
];

const AGENTS = [
  { id: 'S0', host: 'a', cpus: 4, mem: 2000, ports: 6 },
  { id: 'S1', host: 'b', cpus: 4, mem: 2000, ports: 6 },
];
const IDS = ['/x', '/y'];
const COMMAND = { protocol: 'COMMAND', command: { value: 'true' } };
const TCP = { protocol: 'TCP', portIndex: 0 };
const STATES = ['TASK_RUNNING', 'TASK_RUNNING', 'TASK_FAILED', 'TASK_FINISHED'] as const;

const appId = fc.constantFrom(...IDS);
const which = fc.nat(5);
const choose = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];

type Step = (harness: Harness) => void;

function does<T>(given: fc.Arbitrary<T>, act: (harness: Harness, one: T) => unknown): fc.Arbitrary<Step> {
  return given.map((one) => (harness) => void act(harness, one));
}

/** Random changes of a cluster that may show in an answer. */
const step: fc.Arbitrary<Step> = fc.oneof(
  does(
    fc.record({
      id: appId,
      instances: fc.nat(4),
      portDefinitions: fc.constantFrom([{ port: 0 }], [{ port: 0 }, { port: 0 }]),
      healthChecks: fc.constantFrom([], [COMMAND], [TCP], [COMMAND, TCP]),
    }),
    (harness, fields) => harness.input(start(appV2({ cpus: 0.1, mem: 16, ...fields }))),
  ),
  does(
    fc.tuple(
      appId,
      fc.constantFrom({ env: { A: '1' } }, { instances: 3 }, { labels: { a: 'b' } }),
      fc.boolean(),
    ),
    (harness, [id, fields, force]) => harness.input(update(id, fields, force)),
  ),
  does(fc.tuple(appId, fc.nat(4)), (harness, [id, instances]) => harness.input(scale(id, instances))),
  does(appId, (harness, id) => harness.input(changed([{ op: 'restart', appId: id }]))),
  does(appId, (harness, id) => harness.input(stop(id))),
  does(appId, (harness, id) =>
    harness.input({ type: 'kill_tasks', filter: { appId: id, host: 'a' }, scale: false }),
  ),
  does(which, (harness, n) => {
    const deploymentId = choose([...harness.state.deployments.keys()], n) ?? '';
    harness.input({ type: 'cancel_deployment', deploymentId });
  }),
  does(fc.tuple(which, fc.nat(1), fc.boolean()), (harness, [n, probe, healthy]) => {
    const taskId = choose([...harness.state.tasks.keys()], n) ?? '';
    harness.input({ type: 'probed', taskId, probe, healthy });
  }),
  {
    weight: 3,
    arbitrary: does(
      fc.tuple(which, fc.constantFrom(...STATES), fc.boolean()),
      ({ mesos }, [n, state, healthy]) => {
        const task = choose([...mesos.tasks.values()], n);
        if (!task || mesos.unreachable.has(task.agentId)) return;
        mesos.advance(task.info.task_id.value, state, { healthy, message: 'so it is' });
      },
    ),
  },
  does(fc.tuple(fc.constantFrom('S0', 'S1'), fc.boolean()), ({ mesos }, [id, back]) => {
    if (mesos.unreachable.has(id) !== back) return;
    if (back) mesos.bringBack(id);
    else mesos.lose(id);
  }),
  does(fc.constantFrom(5000, 400_000), (harness, ms) => harness.pass(ms)),
  { weight: 2, arbitrary: does(fc.constant(0), ({ mesos }) => mesos.work()) },
  { weight: 3, arbitrary: does(fc.constant(0), ({ mesos }) => mesos.offer()) },
  { weight: 8, arbitrary: does(fc.constant(0), (harness) => harness.deliver()) },
  { weight: 2, arbitrary: does(fc.constant(0), (harness) => harness.deliverAll()) },
);

describe('parts of answers', () => {
  it('are always equal to newly created ones', () => {
    const history = fc.array(fc.tuple(step, fc.subarray(QUESTIONS)), { maxLength: 80, size: 'max' });
    fc.assert(
      fc.property(history, (steps) => {
        const harness = new Harness(AGENTS);
        harness.connect();
        for (const [happens, asked] of steps) {
          harness.now += 7;
          happens(harness);
          const records = [...harness.state.apps.values()];
          for (const ask of asked) {
            // Nothing is cached for a copy of the record.
            const fresh = ask(records.map((record) => ({ ...record })));
            expect(ask(records)).toEqual(fresh);
          }
        }
      }),
      { numRuns: runs(150) },
    );
    // More than usual, for a busy machine.
  }, 120_000);

  it('are created once for equal requests', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2()));
    const [record] = harness.state.apps.values();
    if (!record) throw new Error('there is no app');
    let made = 0;
    const make = (kind: string) => {
      made += 1;
      return `${kind} ${made}`;
    };
    const ask = (kind: string) => partOf(record, kind, () => make(kind)).text;
    expect([ask('a'), ask('b'), ask('a')]).toEqual(['a 1', 'b 2', 'a 1']);
    // The number of cached kinds is limited.
    for (const kind of 'cdefgh') ask(kind);
    expect([ask('a'), ask('a')]).toEqual(['a 9', 'a 9']);
  });
});

describe('lists of apps', () => {
  const tag = async (one: ReturnType<typeof server>, url: string) =>
    String((await get(one, url)).headers.etag);

  it('have an ETag that changes only with their content', async () => {
    const [one, other] = [server(), server()];
    for (const made of [one, other]) {
      await call(made, 'POST', '/v2/apps', { ...SLEEPER, id: '/a' });
      await call(made, 'POST', '/v2/apps', { ...SLEEPER, id: '/b', labels: { tier: 'front' } });
      await made.run();
    }
    const whole = await tag(one, '/v2/apps');
    expect(await tag(one, '/v2/apps')).toBe(whole);
    expect(await tag(one, '/v2/apps?fields=id')).not.toBe(whole);
    expect(await tag(one, '/v2/apps?label=tier')).not.toBe(whole);
    expect(await tag(one, '/v2/apps?fields=*')).not.toBe(whole);
    // Another scheduler has the same ETag for the same content.
    expect(await tag(other, '/v2/apps?fields=id')).toBe(await tag(one, '/v2/apps?fields=id'));
    const kept = { 'if-none-match': whole };
    expect((await call(one, 'GET', '/v2/apps', undefined, kept)).statusCode).toBe(304);
    await call(one, 'PUT', '/v2/apps//a', { labels: { tier: 'back' } });
    expect((await call(one, 'GET', '/v2/apps', undefined, kept)).statusCode).toBe(200);
  });

  it('are complete if they are long, compressed or not', async () => {
    const one = server();
    const ids = Array.from({ length: 300 }, (_, i) => `/app${String(i).padStart(3, '0')}`);
    const body = { groups: [], apps: ids.map((id) => ({ ...SLEEPER, id, labels: { é: 'ü'.repeat(500) } })) };
    expect((await call(one, 'PUT', '/v2/groups', { id: '/', ...body })).statusCode).toBe(200);
    const plain = await get(one, '/v2/apps');
    expect(plain.rawPayload.length).toBeGreaterThan(1 << 18);
    expect(plain.headers['content-length']).toBe(String(plain.rawPayload.length));
    expect(plain.json().apps.map(({ id }: { id: string }) => id)).toEqual(ids);
    const small = await call(one, 'GET', '/v2/apps', undefined, { 'accept-encoding': 'gzip' });
    expect(small.headers['content-length']).toBe(String(small.rawPayload.length));
    expect(gunzipSync(small.rawPayload).equals(plain.rawPayload)).toBe(true);
    const page = (await get(one, '/v2/apps?fields=id&limit=2&cursor=/app004')).json();
    expect(page).toEqual({ apps: [{ id: '/app005' }, { id: '/app006' }], next: '/app006' });
  });
});
