import { expect, test } from 'vitest';
import { bareFacts, clusterOf, fileFacts, hostOf, serviceFacts } from '../../test/install/hosts.ts';
import type { Cluster, Role } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import { mastersAwaited, quorumProblems } from './quorum.ts';

/** Hosts h1, h2 … of which the first are masters that ran with this quorum, and the others bare. */
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

const said = (cluster: Cluster, facts: ReadonlyMap<string, Facts>) =>
  quorumProblems(cluster, facts).map(({ host, check, message }) => `${host} ${check}: ${message}`);

const three = ['h1', 'h2', 'h3'];
const five = [...three, 'h4', 'h5'];

test.each([1, 3, 5])('%s masters that never ran can begin', (count) => {
  expect(said(masters(five.slice(0, count)), hosts(count, 0, 0))).toEqual([]);
});

test.each([
  [2, undefined, 3],
  [4, undefined, 5],
  [3, 3, 5],
])('%s new masters with the quorum %s would wait for ever', (count, quorum, needed) => {
  expect(said(masters(five.slice(0, count), [], quorum), hosts(count, 0, 0))).toEqual([
    `h1 quorum: ${count} masters with a quorum of ${quorum ?? count / 2 + 1} would wait for ${needed}: Mesos begins a registry only once as many masters run as twice the quorum less one`,
  ]);
});

test('an even number of masters that have run goes on', () => {
  expect(said(masters(five.slice(0, 4)), hosts(4, 4, 3))).toEqual([]);
});

test('new masters wait for those that are left out, and masters that have run do not', () => {
  const all = hosts(3, 0, 0);
  const two = new Map([...all].filter(([name]) => name !== 'h1'));
  expect(mastersAwaited(masters(three), all, three)).toBeUndefined();
  expect(mastersAwaited(masters(three), all, ['h1', 'h2'])).toBe(3);
  expect(mastersAwaited(masters(three), two, ['h2', 'h3'])).toBe(3);
  expect(mastersAwaited(masters(three), hosts(3, 3, 2), ['h1', 'h2'])).toBeUndefined();
  expect(mastersAwaited(masters(three), hosts(3, 1, 2), ['h1', 'h2'])).toBeUndefined();
  expect(mastersAwaited(masters(['h1']), all, ['h1'])).toBeUndefined();
});

test('three become five in two steps, as the remedy says', () => {
  const facts = hosts(5, 3, 2);
  expect(said(masters(five), facts)).toEqual([
    'h4 quorum: masters change (h4, h5) while the quorum goes from 2 to 3',
  ]);
  expect(quorumProblems(masters(five), facts)[0]?.remedy).toContain('"quorum: 3" in masterFlags first');
  expect(said(masters(three, ['h4', 'h5'], 3), facts)).toEqual([]);
  expect(said(masters(five), hosts(5, 3, 3))).toEqual([]);
});

test('five become three in two steps, as the remedy says', () => {
  const facts = hosts(5, 5, 3);
  expect(said(masters(three, ['h4', 'h5']), facts)).toHaveLength(1);
  expect(quorumProblems(masters(three, ['h4', 'h5']), facts)[0]?.remedy).toContain('leave "quorum: 3"');
  expect(said(masters(three, ['h4', 'h5'], 3), facts)).toEqual([]);
  expect(said(masters(three), hosts(3, 3, 3))).toEqual([]);
});

test('one master can not become three: the two new ones would have no quorum to learn from', () => {
  const facts = hosts(3, 1, 2);
  expect(said(masters(three), facts)).toEqual([
    'h2 quorum: 1 of the present masters stay, and new ones need 2 that have the log',
  ]);
});

test('a master takes the place of another only once that one has stopped', () => {
  const cluster = masters(['h1', 'h2', 'h4'], ['h3']);
  const facts = hosts(4, 3, 2);
  expect(said(cluster, facts)).toEqual(['h4 quorum: h4 would become master while h3 still runs as one']);
  const third = facts.get('h3');
  if (third === undefined) throw new Error('no h3');
  facts.set('h3', {
    ...third,
    services: { 'mesos-master': serviceFacts({ state: 'stopped', inputs: 'x' }) },
  });
  expect(said(cluster, facts)).toEqual([]);
});

test.each([1, 4])('a quorum of %s for three masters is refused', (quorum) => {
  expect(said(masters(three, [], quorum), hosts(3, 0, 0))).toEqual([
    `h1 quorum: a quorum of ${quorum} is not safe with 3 masters: it must be more than half of them and at most all`,
  ]);
});

test('nothing is said while a master can not be asked', () => {
  expect(said(masters(three), new Map())).toEqual([]);
});
