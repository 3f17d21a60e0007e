import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bareFacts, clusterOf, fileFacts, hostOf, serviceFacts } from '../../test/install/hosts.ts';
import { runs } from '../../test/support/runs.ts';
import type { Cluster, Role } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import { type MemberChange, memberProblems, sizeProblems } from './member-change.ts';
import { clusterBeforeMaster, clusterWithoutMaster, clusterWithZooKeeper } from './member-steps.ts';
import { quorumOf, topologyOf, ZOO_CFG } from './topology.ts';

const address = (name: string) => `10.0.0.${name.slice(1)}`;

/** A host whose ZooKeeper was started with this list of `id=host`; `h3` alone has the id 3. */
function factsOf(name: string, servers: readonly string[], changes: Partial<Facts> = {}): Facts {
  const bare = bareFacts(address(name));
  const lines = servers.flatMap((server) => {
    const [id = '', host = ''] = server.includes('=') ? server.split('=') : [server.slice(1), server];
    return [`# server.${id} is ${host}`, `server.${id}=${address(host)}:2888:3888`];
  });
  return {
    ...bare,
    mesosup: { ...bare.mesosup, cluster: 'prod', started: true },
    files: { [ZOO_CFG]: fileFacts(`${lines.join('\n')}\n`) },
    services: { zookeeper: serviceFacts({ inputs: 'x' }) },
    zookeeper: { answers: true, mode: 'follower', version: '' },
    master: { ...bare.master, answers: true },
    scheduler: { ...bare.scheduler, answers: true },
    ...changes,
  };
}

const cluster = (names: readonly string[], roles?: readonly Role[]) =>
  clusterOf(names.map((name) => hostOf(name, roles ? { roles } : {})));
const three = ['h1', 'h2', 'h3'];
const four = [...three, 'h4'];
const running = (names: readonly string[], servers: readonly string[] = names) =>
  new Map(names.map((name) => [name, factsOf(name, servers)] as const));
const render = (...input: Parameters<typeof memberProblems>) =>
  memberProblems(...input).map(({ host, message }) => `${host}: ${message}`);

describe('a change of the members', () => {
  test('of one host is accepted if it is announced', () => {
    const facts = running(three);
    facts.set('h4', bareFacts(address('h4')));
    expect(render(cluster(four), facts, { kind: 'joins', host: 'h4' })).toEqual([]);
    expect(render(cluster(['h1', 'h3']), facts, { kind: 'leaves', host: 'h2' })).toEqual([]);
    expect(render(cluster(['h1', 'h2', 'h4']), facts, { kind: 'replaces', host: 'h4', old: 'h3' })).toEqual(
      [],
    );
    expect(render(cluster(three), facts)).toEqual([]);
  });

  test('is refused in a plain install, with the command to use', () => {
    const facts = running(three);
    expect(memberProblems(cluster(four), facts)).toEqual([
      expect.objectContaining({ host: 'h4', remedy: 'Run: mesosup node add h4' }),
    ]);
    expect(memberProblems(cluster(['h1', 'h2']), facts)[0]?.remedy).toContain('mesosup node remove h3');
  });

  test('of two hosts at once is refused', () => {
    const facts = running([...four, 'h5']);
    expect(render(cluster(three), facts)[0]).toMatch(/^h4: .* more than one server .* \(h4, h5\)/);
    // A run that added h4 was interrupted, and now h5 is to be added instead.
    const mixed = running(three);
    mixed.set('h1', factsOf('h1', four));
    expect(render(cluster([...three, 'h5']), mixed, { kind: 'joins', host: 'h5' })[0]).toMatch(
      /more than one server/,
    );
    expect(render(cluster(four), mixed, { kind: 'joins', host: 'h4' })).toEqual([]);
  });

  test('that takes the role ZooKeeper from all hosts is refused', () => {
    const facts = running(three);
    expect(render(cluster(['h1', 'h2'], ['master', 'agent']), facts)[0]).toMatch(
      /^h1: .* more than one server .* \(h1, h2, h3\)/,
    );
  });

  test('is free before the ensemble has started', () => {
    const facts = new Map(four.map((name) => [name, factsOf(name, three, { services: {} })] as const));
    expect(render(cluster(four), facts)).toEqual([]);
  });

  test('is refused while a member is down, unless the run repairs it', () => {
    const change: MemberChange = { kind: 'joins', host: 'h4' };
    const facts = running(three);
    facts.set('h3', factsOf('h3', three, { zookeeper: { answers: true, mode: '', version: '' } }));
    expect(render(cluster(four), facts, change)).toEqual([
      'h3: its zookeeper is down: the members of the cluster do not change while one of them is down',
    ]);
    facts.set('h3', factsOf('h3', four, { zookeeper: { answers: true, mode: '', version: '' } }));
    expect(render(cluster(four), facts, change)).toEqual([]);
    facts.delete('h3');
    expect(render(cluster(four), facts, change)[0]).toMatch(/^h3: the host is unreachable/);
    const silent = running(three);
    silent.set(
      'h2',
      factsOf('h2', three, { master: bareFacts('').master, scheduler: bareFacts('').scheduler }),
    );
    expect(render(cluster(four), silent, change)[0]).toMatch(/^h2: its master, scheduler is down/);
  });
});

test('masters beside the ensemble neither come nor go while another master is down', () => {
  const down = { master: bareFacts('').master };
  const quorum = (value: number) => ({ '/etc/mesos-master/quorum': fileFacts(`${value}\n`) });
  const at = (value: number, changes: Partial<Facts> = {}) => {
    const facts = running(three);
    const own = factsOf('h3', three, changes);
    return facts.set('h3', { ...own, files: { ...own.files, ...quorum(value) } });
  };
  // As `clusterBeforeMaster` makes it: h4 has no ZooKeeper.
  const raised = { ...cluster(three), masterFlags: { quorum: '3' } };
  const joins: MemberChange = { kind: 'joins', host: 'h4' };
  expect(render(raised, at(2), joins)).toEqual([]);
  expect(render(raised, at(2, down), joins)[0]).toMatch(/^h3: its master is down/);
  // An earlier run has failed here.
  expect(render(raised, at(3, down), joins)).toEqual([]);
  // The single master has stopped for a copy of its log.
  const two = clusterOf([hostOf('h1'), hostOf('h2', { roles: ['master'] })]);
  const copied = new Map([['h1', factsOf('h1', [], down)]]).set('h2', bareFacts(address('h2')));
  expect(render(two, copied, { kind: 'joins', host: 'h2' })).toEqual([]);
  const leaves: MemberChange = { kind: 'leaves', host: 'h5' };
  const rest = clusterOf([...cluster(three).hosts, hostOf('h4', { roles: ['master'] })]);
  const leaving = (changes: Partial<Facts>, other: Partial<Facts> = {}) => {
    const master = (name: string, more: Partial<Facts> = {}) => factsOf(name, [], { services: {}, ...more });
    return new Map([...at(3, other), ['h4', master('h4')], ['h5', master('h5', changes)]]);
  };
  expect(render(rest, leaving({}), leaves)).toEqual([]);
  expect(render(rest, leaving({}, down), leaves)[0]).toMatch(/^h3: its master is down/);
  // It has stopped already.
  expect(render(rest, leaving(down, down), leaves)).toEqual([]);
});

test('an even number of members is a warning, and an error before the cluster has started', () => {
  const sizes = (names: readonly string[], facts: ReadonlyMap<string, Facts>) =>
    sizeProblems(cluster(names), facts).map(({ severity, message }) => `${severity}: ${message}`);
  expect(sizes(three, running(three))).toEqual([]);
  expect(sizes(four, running(four))).toEqual([
    'warning: 4 ZooKeeper hosts tolerate no more failures than 3',
    'warning: 4 masters tolerate no more failures than 3',
  ]);
  expect(sizes(['h1', 'h2'], new Map())[0]).toMatch(/^error/);
});

test('a new member first has only ZooKeeper, and the other masters have the next quorum', () => {
  const first = clusterBeforeMaster(cluster(four), 'h4', bareFacts(address('h4')));
  expect(first.hosts.at(-1)?.roles).toEqual(['zookeeper']);
  expect(first.masterFlags).toEqual({ quorum: '3' });
  // Its agent runs already.
  const agent = bareFacts(address('h4'), { services: { 'mesos-agent': serviceFacts() } });
  expect(clusterBeforeMaster(cluster(four), 'h4', agent).hosts.at(-1)?.roles).toEqual(['zookeeper', 'agent']);
  const without = clusterBeforeMaster(cluster(four, ['master']), 'h4', undefined);
  expect(without.hosts.map(({ name }) => name)).toEqual(three);
});

test('a cluster of one gets ZooKeeper before the second master, whose log counts later', () => {
  const two = cluster(['h1', 'h2']);
  const bare = bareFacts(address('h1'));
  expect(clusterWithZooKeeper(two, 'h2', bare)?.hosts.map(({ name }) => name)).toEqual(['h1']);
  expect(clusterWithZooKeeper(two, 'h2', factsOf('h1', []))).toBeUndefined();
  expect(clusterWithZooKeeper(cluster(three), 'h3', bare)).toBeUndefined();
  expect(clusterBeforeMaster(two, 'h2', undefined).masterFlags).toEqual({ quorum: '1' });
  const prepared = clusterWithoutMaster(two, 'h2');
  expect(prepared.hosts[1]?.roles).toEqual(['zookeeper', 'scheduler', 'agent']);
  expect(prepared.masterFlags).toEqual({ quorum: '1' });
  const facts = running(['h1'], []);
  facts.set('h2', bareFacts(address('h2')));
  expect(render(two, facts, { kind: 'joins', host: 'h2' })).toEqual([]);
  expect(render(cluster(['h1']), running(['h1', 'h2']), { kind: 'leaves', host: 'h2' })[0]).toMatch(
    /a single server of ZooKeeper/,
  );
});

test('a server that replaces another one takes its id, also when the run is resumed', () => {
  const wanted = cluster(['h1', 'h4', 'h3']);
  const ids = (facts: ReadonlyMap<string, Facts>) =>
    topologyOf(wanted, facts).zookeepers.map(({ id, host }) => `${id}=${host}`);
  const facts = running(['h1', 'h3'], three);
  facts.set('h4', bareFacts(address('h4')));
  expect(ids(facts)).toEqual(['1=h1', '2=h4', '3=h3']);
  facts.set('h4', factsOf('h4', ['h1', '2=h4', 'h3']));
  expect(ids(facts)).toEqual(['1=h1', '2=h4', '3=h3']);
  facts.set('h1', factsOf('h1', ['h1', '2=h4', 'h3']));
  expect(ids(facts)).toEqual(['1=h1', '2=h4', '3=h3']);
});

/** The lists and quorums by which the members count, as a run changes them one host after another. */
interface Present {
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly quorums: ReadonlyMap<string, number>;
}

const majority = (list: readonly string[]) => Math.floor(list.length / 2) + 1;

/** The least number of common servers of a majority of one list and a majority of another. */
function overlap(a: readonly string[], b: readonly string[]): number {
  const common = a.filter((name) => b.includes(name)).length;
  const outsideA = a.length - common;
  const outsideB = b.length - common;
  const inA = Math.max(0, majority(a) - outsideA);
  const inB = Math.max(0, majority(b) - outsideB);
  return inA + inB - common;
}

function expectSafe({ lists, quorums }: Present, empty: readonly string[]): void {
  for (const a of lists.values()) {
    for (const b of lists.values()) expect(overlap(a, b)).toBeGreaterThan(0);
    expect(empty.filter((name) => a.includes(name)).length).toBeLessThan(majority(a));
  }
  for (const a of quorums.values())
    for (const b of quorums.values()) expect(a + b).toBeGreaterThan(quorums.size);
}

test('in any sequence of additions and removals, two majorities have a member in common, and no empty servers are one', () => {
  const step = fc.record({ add: fc.boolean(), at: fc.nat({ max: 6 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let names: readonly string[] = three;
      let fresh = 3;
      let present: Present = {
        lists: new Map(three.map((name) => [name, three])),
        quorums: new Map(three.map((name) => [name, 2])),
      };
      const set = (name: string, list: readonly string[], quorum: number, empty: readonly string[]) => {
        const lists = new Map(present.lists).set(name, list);
        const quorums = new Map(present.quorums);
        if (quorums.has(name)) quorums.set(name, quorum);
        present = { lists, quorums };
        expectSafe(present, empty);
      };
      for (const { add, at } of steps) {
        if (add ? names.length >= 7 : names.length <= 2) continue;
        const old = names;
        fresh += 1;
        const changing = add ? `h${fresh}` : (old[at % old.length] ?? '');
        const change: MemberChange = { kind: add ? 'joins' : 'leaves', host: changing };
        names = add ? [...old, changing] : old.filter((name) => name !== changing);
        const facts = running(old);
        if (add) facts.set(changing, bareFacts(address(changing)));
        const wanted = clusterOf(names.map((name) => hostOf(name)));
        expect(render(wanted, facts, change)).toEqual([]);
        const between: Cluster = add ? clusterBeforeMaster(wanted, changing, facts.get(changing)) : wanted;
        const quorum = Number(between.masterFlags.quorum ?? quorumOf(names.length));
        // As the runs do: a new server first, and a master that leaves has stopped before.
        if (!add)
          present = { ...present, quorums: new Map([...present.quorums].filter(([n]) => n !== changing)) };
        const order = add ? [changing, ...old] : names;
        for (const name of order) set(name, names, quorum, add ? [changing] : []);
        if (add)
          present = { ...present, quorums: new Map(present.quorums).set(changing, quorumOf(names.length)) };
        else present = { ...present, lists: new Map([...present.lists].filter(([n]) => n !== changing)) };
        expectSafe(present, []);
      }
    }),
    { numRuns: runs(200) },
  );
});
