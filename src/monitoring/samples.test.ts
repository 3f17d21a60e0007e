import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dashboard } from './dashboard.ts';
import { type Component, containerSamples, type Sample, snapshotSamples } from './samples.ts';
import { AGENT_METRICS, MASTER_METRICS } from './snapshot-metrics.ts';

/** Answers of ClusterD 1.11. */
const real = (name: string): unknown =>
  JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../test/fixtures/mesos', name), 'utf8'));
const MASTER = real('master-metrics-snapshot.json');
const AGENT = real('agent-metrics-snapshot.json');

const valuesOf = (samples: readonly Sample[] | undefined, name: string) =>
  (samples ?? []).filter((one) => one.name === name).map(({ labels, value }) => [labels, value]);

test('passes on a real master in base units, with states, frameworks and roles as labels', () => {
  const { samples, omitted } = snapshotSamples('master', MASTER, 10) ?? {};
  expect(omitted).toBe(0);
  expect(valuesOf(samples, 'mesos_master_memory_used_bytes')).toEqual([[{}, 96 * 2 ** 20]]);
  expect(valuesOf(samples, 'mesos_master_cpus_used')).toEqual([[{}, 0.6]]);
  expect(valuesOf(samples, 'mesos_allocator_run_p99_seconds')).toEqual([[{}, expect.closeTo(0.002642, 6)]]);
  expect(valuesOf(samples, 'mesos_master_tasks_ended_total')).toContainEqual([{ state: 'killed' }, 1]);
  const framework = { framework: 'capture', framework_id: '9498f507-7251-4375-adb3-9a89d0a83122-0000' };
  expect(valuesOf(samples, 'mesos_master_framework_tasks')).toContainEqual([
    { ...framework, state: 'running' },
    1,
  ]);
  expect(valuesOf(samples, 'mesos_master_framework_subscribed')).toEqual([[framework, 1]]);
  expect(valuesOf(samples, 'mesos_allocator_role_dominant_share_ratio')).toEqual([[{ role: '*' }, 1]]);
});

test('passes on a real agent and its containers', () => {
  const { samples } = snapshotSamples('agent', AGENT, 10) ?? {};
  expect(valuesOf(samples, 'mesos_agent_registered')).toEqual([[{}, 1]]);
  expect(valuesOf(samples, 'mesos_agent_memory_bytes')).toEqual([[{}, 8192 * 2 ** 20]]);
  const found = containerSamples(real('agent-containers.json'), 10);
  expect(valuesOf(found?.samples, 'mesos_agent_containers')).toEqual([[{}, 2]]);
  expect(valuesOf(found?.samples, 'mesos_container_cpus').map(([, value]) => value)).toEqual([0.2, 0.2]);
  expect(valuesOf(found?.samples, 'mesos_container_memory_rss_bytes')[0]).toEqual([
    {
      framework_id: '8f6d2292-b02a-4e9b-87e9-58fd72a5aed7-0001',
      executor_id: 'fa.instance-01a22b47-0163-8000-8000-000200000000._app.1',
    },
    19435520,
  ]);
});

test.each([
  ['master' as const, MASTER_METRICS, MASTER],
  // The replicated log exists only with ZooKeeper, and times only after an event.
  ['agent' as const, AGENT_METRICS, AGENT],
])('every metric of a %s exists in the answer of a real one', (_component, metrics, answer) => {
  const missing = metrics.filter(({ key }) => !(key in (answer as object))).map(({ key }) => key);
  expect(missing).toEqual(_component === 'master' ? ['registrar/log/recovered'] : []);
});

test('every metric of Mesos on the dashboard exists in the answers of a real Mesos', () => {
  const names = new Set(
    [
      ...(snapshotSamples('master', MASTER, 10)?.samples ?? []),
      ...(snapshotSamples('agent', AGENT, 10)?.samples ?? []),
      ...(containerSamples(real('agent-containers.json'), 10)?.samples ?? []),
    ].map(({ name }) => name),
  );
  const used = JSON.stringify(dashboard()).match(/\bmesos_(master|agent|container|allocator|registrar)\w+/g);
  expect(used?.length).toBeGreaterThan(20);
  expect([...new Set(used)].filter((name) => !names.has(name))).toEqual([]);
});

test('limits the number of frameworks and containers, and the length of their names', () => {
  const snapshot: Record<string, number> = { 'master/elected': 1 };
  for (let i = 0; i < 50; i += 1) {
    snapshot[`master/frameworks/f${i}/id-${i}/subscribed`] = 1;
    snapshot[`master/frameworks/f${i}/id-${i}/tasks/active/task_running`] = 1;
    snapshot[`allocator/mesos/roles/${'r'.repeat(500)}${i}/shares/dominant`] = 1;
  }
  const { samples, omitted } = snapshotSamples('master', snapshot, 20) ?? {};
  expect(omitted).toBe(60);
  expect(valuesOf(samples, 'mesos_master_framework_tasks')).toHaveLength(20);
  for (const { labels } of samples ?? [])
    for (const value of Object.values(labels)) expect(value.length).toBeLessThanOrEqual(128);
  const containers = Array.from({ length: 30 }, (_, i) => ({
    framework_id: 'f',
    executor_id: `${i}`,
    statistics: { processes: 1 },
  }));
  const found = containerSamples(containers, 20);
  expect(found?.omitted).toBe(10);
  expect(valuesOf(found?.samples, 'mesos_container_processes')).toHaveLength(20);
  expect(valuesOf(found?.samples, 'mesos_agent_containers')).toEqual([[{}, 30]]);
});

test('decodes names of frameworks, and keeps what is not encoded', () => {
  const names = ['we%22ird%2Fn%5Came', '50%', ''].map((name) => {
    const answer = { 'master/elected': 1, [`master/frameworks/${name}/id/subscribed`]: 1 };
    const { samples } = snapshotSamples('master', answer, 10) ?? {};
    return samples?.find((one) => one.name === 'mesos_master_framework_subscribed')?.labels.framework;
  });
  expect(names).toEqual(['we"ird/n\\ame', '50%', '']);
});

test('accepts any JSON, and passes on only finite numbers and well-formed texts', () => {
  const keys = [...MASTER_METRICS, ...AGENT_METRICS].map(({ key }) => key);
  const answers = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.oneof(
        fc.constantFrom(...keys),
        fc.string({ unit: 'binary' }).map((name) => `master/frameworks/${name}/id/subscribed`),
        fc.string({ unit: 'binary' }).map((role) => `allocator/mesos/roles/${role}/shares/dominant`),
      ),
      fc.oneof(fc.double(), fc.jsonValue()),
    ),
    fc.array(
      fc.record({
        framework_id: fc.anything(),
        executor_id: fc.string({ unit: 'binary' }),
        statistics: fc.anything(),
      }),
    ),
  );
  fc.assert(
    fc.property(answers, fc.constantFrom<Component>('master', 'agent'), (answer, component) => {
      const all = [snapshotSamples(component, answer, 5), containerSamples(answer, 5)];
      for (const { labels, value } of all.flatMap((one) => one?.samples ?? [])) {
        expect(Number.isFinite(value)).toBe(true);
        for (const text of Object.values(labels)) expect(text.isWellFormed()).toBe(true);
      }
    }),
  );
});

test.each([{}, [], 'text', null, { 'slave/registered': 1 }, { 'master/elected': 'yes' }])(
  'an answer that is not of a master is none: %j',
  (answer) => {
    expect(snapshotSamples('master', answer, 1)).toBeUndefined();
  },
);
