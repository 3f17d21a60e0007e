import { describe, expect, it } from 'vitest';
import { appV2, start, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import type { Offer } from '../../../mesos/types.ts';
import type { AgentSpec } from '../../../simulator/agent.ts';
import type { App } from '../../domain/app.ts';
import { isReady } from '../../domain/task.ts';
import { findBroken, rulesOf } from './constraints.ts';
import { fieldsOf } from './fields.ts';

const OFFER: Offer = {
  id: { value: 'o' },
  framework_id: { value: 'f' },
  agent_id: { value: 'S0' },
  hostname: 'h1',
  domain: { fault_domain: { region: { name: 'eu' }, zone: { name: 'eu-1' } } },
  attributes: [
    { name: 'rack', type: 'TEXT', text: { value: 'a' } },
    { name: 'size', type: 'SCALAR', scalar: { value: 2.5 } },
    {
      name: 'slots',
      type: 'RANGES',
      ranges: {
        range: [
          { begin: 8, end: 9 },
          { begin: 1, end: 2 },
        ],
      },
    },
    { name: 'disks', type: 'SET', set: { item: ['ssd', 'hdd'] } },
    { name: 'odd', type: 'TEXT' },
  ],
  resources: [],
};

/** @param counts number of tasks for each value of the field. @returns true if the agent may run another task */
function allowed(constraint: App['constraints'][number], counts: Record<string, number> = {}): boolean {
  const app = appV2({ constraints: [constraint] });
  const perField = new Map([[constraint[0], new Map(Object.entries(counts))]]);
  return findBroken(rulesOf({ perField }, app), fieldsOf(app, OFFER)).length === 0;
}

it.each<[App['constraints'][number], boolean, Record<string, number>?]>([
  [['@hostname', 'CLUSTER', 'h1'], true],
  [['hostname', 'CLUSTER', 'h2'], false],
  [['@region', 'IS', 'eu'], true],
  [['@zone', 'IS', 'eu-2'], false],
  [['@zone', 'LIKE', 'eu-.'], true],
  [['rack', 'IS', 'a'], true],
  [['rack', 'IS', 'b'], false],
  [['size', 'IS', '2.5'], true],
  [['size', 'IS', '2.500'], true],
  [['size', 'IS', '2.501'], false],
  [['size', 'IS', 'two'], false],
  [['size', 'LIKE', '2\\.5'], true],
  [['slots', 'IS', '[1-2,8-9]'], true],
  [['disks', 'IS', '{hdd,ssd}'], true],
  [['odd', 'IS', ''], false],
  [['gone', 'IS', 'a'], false],
  [['gone', 'UNLIKE', '.*'], true],
  [['gone', 'MAX_PER', '9'], false],
  [['gone', 'GROUP_BY'], false],
  [['gone', 'CLUSTER'], false],
  [['rack', 'UNLIKE', 'a'], false],
  [['rack', 'UNIQUE'], true, { b: 3 }],
  [['rack', 'UNIQUE'], false, { a: 1 }],
  [['rack', 'CLUSTER'], true, {}],
  [['rack', 'CLUSTER'], true, { a: 2 }],
  [['rack', 'CLUSTER'], false, { b: 2 }],
  [['rack', 'MAX_PER', '2'], true, { a: 1, b: 5 }],
  [['rack', 'MAX_PER', '2'], false, { a: 2 }],
  [['rack', 'GROUP_BY'], true, {}],
  [['rack', 'GROUP_BY'], true, { a: 1, b: 1 }],
  [['rack', 'GROUP_BY'], false, { a: 2, b: 1 }],
  [['rack', 'GROUP_BY'], true, { a: 1 }],
  [['rack', 'GROUP_BY', '2'], false, { a: 1 }],
  [['rack', 'GROUP_BY', '2'], true, { b: 4 }],
])('%j is %s with these counts: %j', (constraint, expected, counts) => {
  expect(allowed(constraint, counts)).toBe(expected);
});

describe('an upgrade of an app with as many UNIQUE instances as agents', () => {
  const agents: AgentSpec[] = [0, 1, 2].map((i) => ({
    id: `S${i}`,
    host: `h${i}`,
    cpus: 4,
    mem: 4096,
    ports: 9,
  }));

  it.each([
    ['old ones first', { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 }, 3],
    ['new ones first', { minimumHealthCapacity: 1, maximumOverCapacity: 1 }, 6],
    ['one more at a time', { minimumHealthCapacity: 1, maximumOverCapacity: 0 }, 4],
  ])('ends, %s, with one instance on each agent', (_how, upgradeStrategy, most) => {
    const harness = new Harness(agents);
    const constraints = [['hostname', 'UNIQUE']];
    harness.input(start(appV2({ instances: 3, constraints, upgradeStrategy })));
    harness.rest();
    harness.input(update('/sleeper', { env: { A: 'new' } }));
    let highest = 0;
    for (let step = 0; step < 60; step += 1) {
      harness.deliverAll();
      harness.mesos.offer();
      harness.mesos.work();
      highest = Math.max(highest, harness.mesos.live().length);
    }
    const record = harness.state.apps.get('/sleeper');
    const tasks = [...(record?.tasks.values() ?? [])].filter(isReady);
    expect(tasks.map(({ host }) => host).sort()).toEqual(['h0', 'h1', 'h2']);
    expect(new Set(tasks.map(({ configVersion }) => configVersion))).toEqual(
      new Set([record?.active?.configVersion]),
    );
    expect(harness.state.deployments.size).toBe(0);
    expect(highest).toBe(most);
  });
});

it('prefers the agents with the fewest tasks of the app, then those with the most free CPUs', () => {
  const sizes = [2, 8, 4];
  const harness = new Harness(
    sizes.map((cpus, i) => ({ id: `S${i}`, host: `h${i}`, cpus, mem: 9000, ports: 9 })),
  );
  harness.input(start(appV2({ instances: 7, cpus: 1 })));
  harness.rest();
  const hosts = [...harness.state.tasks.values()].map(({ host }) => host);
  expect(hosts).toEqual(['h1', 'h2', 'h0', 'h1', 'h2', 'h0', 'h1']);
});

it('satisfies several constraints at once', () => {
  const agents = Array.from({ length: 12 }, (_, i) => ({
    id: `S${i}`,
    host: `h${i}`,
    cpus: 9,
    mem: 9000,
    ports: 9,
    attributes: { rack: `r${Math.floor(i / 6)}`, row: i < 4 ? 'front' : 'back' },
  }));
  const harness = new Harness(agents);
  const constraints = [
    ['rack', 'GROUP_BY', '2'],
    ['hostname', 'UNIQUE'],
    ['row', 'UNLIKE', 'front'],
  ];
  harness.input(start(appV2({ instances: 9, constraints })));
  harness.rest();
  const hosts = [...harness.state.tasks.values()].map(({ host }) => host).sort();
  // The first rack takes two tasks, so the second may take at most three.
  expect(hosts.filter((host) => host === 'h4' || host === 'h5')).toHaveLength(2);
  expect(hosts.length).toBeGreaterThanOrEqual(4);
  expect(hosts.length).toBeLessThanOrEqual(5);
  expect(new Set(hosts).size).toBe(hosts.length);
});
