import { expect, test } from 'vitest';
import {
  bareFacts,
  clusterOf,
  directoryFacts,
  fileFacts,
  hostOf,
  serviceFacts,
} from '../../test/install/hosts.ts';
import type { Cluster, Role } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import type { MemberChange } from './member-change.ts';
import { mastersNeededToStart, quorumProblems } from './quorum.ts';

/** Hosts h1, h2 …: the first `ran` are masters that have run with this quorum, the others are bare. */
function hosts(count: number, ran: number, quorum: number): Map<string, Facts> {
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const bare = bareFacts(`10.0.0.${index + 1}`);
      const master: Facts = {
        ...bare,
        files: {
          '/etc/mesos-master/quorum': fileFacts(`${quorum}\n`),
          '/etc/mesos-master/work_dir': fileFacts('/var/lib/mesos/master\n'),
        },
        services: { 'mesos-master': serviceFacts({ inputs: 'x' }) },
      };
      return [`h${index + 1}`, index < ran ? master : bare] as const;
    }),
  );
}

function masters(names: readonly string[], others: readonly string[] = [], quorum?: number): Cluster {
  const roles: readonly Role[] = ['zookeeper', 'master'];
  return clusterOf(
    [
      ...names.map((name) => hostOf(name, { roles })),
      ...others.map((name) => hostOf(name, { roles: ['agent'] })),
    ],
    quorum === undefined ? {} : { masterFlags: { quorum: String(quorum) } },
  );
}

const render = (cluster: Cluster, facts: ReadonlyMap<string, Facts>) =>
  quorumProblems(cluster, facts).map(({ host, check, message }) => `${host} ${check}: ${message}`);

const three = ['h1', 'h2', 'h3'];
const five = [...three, 'h4', 'h5'];

test.each([1, 3, 5])('accepts %s masters that have never run', (count) => {
  expect(render(masters(five.slice(0, count)), hosts(count, 0, 0))).toEqual([]);
});

test.each([
  [2, undefined, 3],
  [4, undefined, 5],
  [3, 3, 5],
])('refuses %s new masters with the quorum %s, which would wait forever', (count, quorum, needed) => {
  expect(render(masters(five.slice(0, count), [], quorum), hosts(count, 0, 0))).toEqual([
    `h1 quorum: with a quorum of ${quorum ?? count / 2 + 1}, Mesos creates a registry only when ${needed} masters run (twice the quorum, minus one), but the cluster has ${count}`,
  ]);
});

test('accepts an even number of masters that have run', () => {
  expect(render(masters(five.slice(0, 4)), hosts(4, 4, 3))).toEqual([]);
});

test('new masters need the masters left out to start, masters that have run do not', () => {
  const all = hosts(3, 0, 0);
  const two = new Map([...all].filter(([name]) => name !== 'h1'));
  expect(mastersNeededToStart(masters(three), all, three)).toBeUndefined();
  expect(mastersNeededToStart(masters(three), all, ['h1', 'h2'])).toBe(3);
  expect(mastersNeededToStart(masters(three), two, ['h2', 'h3'])).toBe(3);
  expect(mastersNeededToStart(masters(three), hosts(3, 3, 2), ['h1', 'h2'])).toBeUndefined();
  expect(mastersNeededToStart(masters(three), hosts(3, 1, 2), ['h1', 'h2'])).toBeUndefined();
  expect(mastersNeededToStart(masters(['h1']), all, ['h1'])).toBeUndefined();
});

test('three masters become five in two steps, as the remedy says', () => {
  const facts = hosts(5, 3, 2);
  expect(render(masters(five), facts)).toEqual([
    'h4 quorum: masters (h4, h5) and the quorum (from 2 to 3) change in the same run',
  ]);
  expect(quorumProblems(masters(five), facts)[0]?.remedy).toMatch(
    /^First install .* "quorum: 3" in masterFlags/,
  );
  expect(render(masters(three, ['h4', 'h5'], 3), facts)).toEqual([]);
  expect(render(masters(five), hosts(5, 3, 3))).toEqual([]);
});

test('five masters become three in two steps, as the remedy says', () => {
  const facts = hosts(5, 5, 3);
  expect(render(masters(three, ['h4', 'h5']), facts)).toHaveLength(1);
  expect(quorumProblems(masters(three, ['h4', 'h5']), facts)[0]?.remedy).toContain('Keep "quorum: 3"');
  expect(render(masters(three, ['h4', 'h5'], 3), facts)).toEqual([]);
  expect(render(masters(three), hosts(3, 3, 3))).toEqual([]);
});

test('one master can not become three, since no quorum of masters has the log', () => {
  const facts = hosts(3, 1, 2);
  expect(render(masters(three), facts)).toEqual([
    'h2 quorum: 1 of the present masters stay, but new masters need 2 masters that have the log',
  ]);
});

test('a new master replaces another only after the other has stopped', () => {
  const cluster = masters(['h1', 'h2', 'h4'], ['h3']);
  const facts = hosts(4, 3, 2);
  expect(render(cluster, facts)).toEqual([
    'h4 quorum: h4 would become a master while the removed master on h3 still runs',
  ]);
  const third = facts.get('h3');
  if (third === undefined) throw new Error('no h3');
  facts.set('h3', {
    ...third,
    services: { 'mesos-master': serviceFacts({ state: 'stopped', inputs: 'x' }) },
  });
  expect(render(cluster, facts)).toEqual([]);
});

test.each([1, 4])('refuses a quorum of %s for three masters', (quorum) => {
  expect(render(masters(three, [], quorum), hosts(3, 0, 0))).toEqual([
    `h1 quorum: a quorum of ${quorum} is not safe with 3 masters: it must be more than half of the masters, and at most all of them`,
  ]);
});

test('reports nothing while no master can be reached', () => {
  expect(render(masters(three), new Map())).toEqual([]);
});

test('a second master is accepted when it has a copy of the log of the first one', () => {
  const cluster = masters(['h1', 'h2']);
  const facts = hosts(2, 1, 1);
  const joins: MemberChange = { kind: 'joins', host: 'h2' };
  expect(quorumProblems(cluster, facts, joins)).toHaveLength(1);
  const bare = bareFacts('10.0.0.2');
  facts.set('h2', { ...bare, files: { '/var/lib/mesos/master/replicated_log': directoryFacts() } });
  expect(quorumProblems(cluster, facts, joins)).toEqual([]);
  expect(quorumProblems(cluster, facts)).toHaveLength(1);
});
