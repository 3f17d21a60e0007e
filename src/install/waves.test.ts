import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bareFacts, clusterOf, hostOf, serviceFacts } from '../../test/install/hosts.ts';
import { runs } from '../../test/support/runs.ts';
import type { Facts } from './facts.ts';
import type { PlanAction } from './item.ts';
import type { MemberChange } from './member-change.ts';
import type { HostPlan, Plan, PlanCommand } from './plan.ts';
import { waves } from './waves.ts';

/** The changes of a host, for example `restart mesos-master`; services that restart are running. */
interface Sketch {
  does: readonly string[];
  leads?: boolean;
  /** Its master refuses mesosup's credentials. */
  refuses?: boolean;
  /** Its scheduler leads. */
  schedules?: boolean;
  /** Its service runs, but doesn't answer. */
  deaf?: boolean;
  /** The host was never a member. */
  isNew?: boolean;
  /** Of its ZooKeeper. */
  mode?: string;
}

function hostPlan(host: string, { does }: Sketch): HostPlan {
  const items = does.map((what) => {
    const [action = '', name = ''] = what.split(' ');
    return { id: `service:${name}`, action: action as PlanAction, title: what, diff: [] };
  });
  return { host, items, basis: '' };
}

function factsOf({ does, leads, refuses, schedules, deaf, isNew, mode = '' }: Sketch): Facts {
  const bare = bareFacts('10.0.0.1');
  const running = does.filter((what) => !what.startsWith('start ')).map((what) => what.split(' ')[1] ?? '');
  const member = { type: 'file', mode: '0644', owner: 'root', group: 'root' } as const;
  const paths = ['/var/lib/mesos/master/replicated_log', '/var/lib/zookeeper/myid'];
  const answers = (service: string) => running.includes(service) && !deaf;
  return {
    ...bare,
    files: isNew ? {} : Object.fromEntries(paths.map((path) => [path, member])),
    zookeeper: { ...bare.zookeeper, mode },
    services: Object.fromEntries(running.map((name) => [name, serviceFacts()])),
    master: {
      ...bare.master,
      answers: answers('mesos-master'),
      elected: leads === true,
      problem: refuses ? 'refused' : '',
    },
    scheduler: {
      ...bare.scheduler,
      answers: answers('mesosup-scheduler'),
      leads: schedules === true,
    },
  };
}

function wavesOf(
  hosts: Readonly<Record<string, Sketch>>,
  command: PlanCommand = 'install',
  member?: MemberChange,
) {
  const plan: Plan = {
    format: 1,
    command,
    cluster: 'c',
    version: '1',
    hosts: Object.entries(hosts).map(([name, sketch]) => hostPlan(name, sketch)),
  };
  const cluster = clusterOf(Object.keys(hosts).map((name) => hostOf(name)));
  return waves(
    cluster,
    plan,
    new Map(Object.entries(hosts).map(([name, sketch]) => [name, factsOf(sketch)])),
    undefined,
    member,
  );
}

const names = (found: ReturnType<typeof waves>) => found.map(({ hosts }) => hosts.join(' '));
const START = ['start zookeeper', 'start mesos-master', 'start mesos-agent'];
const MASTER = ['restart mesos-master'];
const SCHEDULER = ['restart mesosup-scheduler'];
const AGENT = ['restart mesos-agent'];

describe('one wave contains', () => {
  test('all hosts of a first installation', () => {
    const fresh = { does: START, isNew: true };
    expect(wavesOf({ a: fresh, b: fresh, c: fresh, d: fresh })).toEqual([
      { hosts: ['a', 'b', 'c', 'd'], back: expect.anything() },
    ]);
  });

  test('one master of a cluster whose masters refuse to tell who leads', () => {
    const master = { does: MASTER, refuses: true };
    expect(names(wavesOf({ a: master, b: master, c: { does: AGENT } }))).toEqual(['c', 'a', 'b']);
  });

  test('all hosts of a stop and an uninstall', () => {
    const all = { a: { does: ['stop mesos-master'], leads: true }, b: { does: ['stop mesos-master'] } };
    for (const command of ['stop', 'uninstall'] as const)
      expect(names(wavesOf(all, command))).toEqual(['a b']);
  });

  test('members of a cluster without a leader, since electing one may need all of them', () => {
    expect(names(wavesOf({ a: { does: MASTER }, b: { does: MASTER }, c: { does: AGENT } }))).toEqual([
      'a b c',
    ]);
  });

  test('a single member, which the other hosts can do without briefly', () => {
    const one = { a: { does: MASTER, leads: true }, b: { does: ['restart docker'] }, c: { does: AGENT } };
    expect(names(wavesOf(one))).toEqual(['a b c']);
  });

  test('has no wave for an empty plan', () => {
    expect(wavesOf({ a: { does: [], leads: true } })).toEqual([]);
  });
});

test('members restart one at a time: unhealthy ones first, the leader last', () => {
  const found = wavesOf({
    leads: { does: MASTER, leads: true },
    follows: { does: MASTER },
    deaf: { does: MASTER, deaf: true },
    other: { does: ['restart docker'] },
  });
  expect(found).toEqual([
    { hosts: ['other'], back: [] },
    { hosts: ['deaf'], back: [{ host: 'deaf', role: 'master' }] },
    { hosts: ['follows'], back: [{ host: 'follows', role: 'master' }] },
    { hosts: ['leads'], back: [{ host: 'leads', role: 'master' }] },
  ]);
});

test('schedulers of a running cluster restart one at a time, the leader last, independent of the leading master', () => {
  const found = wavesOf({
    schedules: { does: SCHEDULER, schedules: true },
    leads: { does: SCHEDULER, leads: true },
    follows: { does: [...SCHEDULER, ...AGENT] },
    agent: { does: AGENT },
  });
  expect(found).toEqual([
    { hosts: ['agent'], back: [{ host: 'agent', role: 'agent' }] },
    { hosts: ['leads'], back: [{ host: 'leads', role: 'scheduler' }] },
    {
      hosts: ['follows'],
      back: [
        { host: 'follows', role: 'scheduler' },
        { host: 'follows', role: 'agent' },
      ],
    },
    { hosts: ['schedules'], back: [{ host: 'schedules', role: 'scheduler' }] },
  ]);
});

test('a host that leads in one of two roles comes after hosts that lead in none', () => {
  const both = [...MASTER, ...SCHEDULER];
  const found = wavesOf({
    master: { does: both, leads: true },
    scheduler: { does: both, schedules: true },
    follows: { does: both },
    down: { does: ['start mesosup-scheduler'] },
  });
  expect(names(found)).toEqual(['down', 'follows', 'master', 'scheduler']);
});

test('a member that is down restarts first, and new members start when all others know them', () => {
  const found = wavesOf({
    leads: { does: MASTER, leads: true },
    joins: { does: START, isNew: true },
    down: { does: ['start mesos-master'] },
    leaves: { does: ['restore mesos-master'] },
  });
  expect(names(found)).toEqual(['down', 'leaves', 'leads', 'joins']);
  expect(found[0]?.back).toEqual([{ host: 'down', role: 'master' }]);
  expect(found[1]?.back).toEqual([]);
});

test('a server of ZooKeeper that is announced joins before the others get its address', () => {
  const hosts = {
    leads: { does: ['restart zookeeper', ...MASTER], leads: true },
    follows: { does: ['restart zookeeper', ...MASTER] },
    joins: { does: ['start zookeeper'], isNew: true },
  };
  const joins: MemberChange = { kind: 'joins', host: 'joins' };
  const found = wavesOf(hosts, 'install', joins);
  expect(names(found)).toEqual(['joins', 'follows', 'leads']);
  expect(found[0]?.back).toEqual([{ host: 'joins', role: 'zookeeper' }]);
  expect(names(wavesOf(hosts))).toEqual(['follows', 'leads', 'joins']);
  // Beside a single server, which has no list, a new one has no quorum yet.
  const alone = { ...hosts, leads: { ...hosts.leads, mode: 'standalone' } };
  expect(wavesOf(alone, 'install', joins)[0]).toEqual({ hosts: ['joins'], back: [] });
});

test('agents restart a quarter at a time, after the members', () => {
  const agents = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a${i}`, { does: AGENT }]));
  const found = wavesOf({ ...agents, x: { does: MASTER, leads: true }, y: { does: MASTER } });
  expect(names(found)).toEqual(['y', 'x', 'a0 a1 a2', 'a3 a4 a5', 'a6 a7 a8']);
  expect(found[2]?.back).toContainEqual({ host: 'a1', role: 'agent' });
});

test('each host is in one wave, and no wave restarts two members', () => {
  const what = fc.constantFrom(
    ...['restart', 'start', 'restore'].flatMap((action) =>
      ['zookeeper', 'mesos-master', 'mesos-agent', 'docker', 'mesosup-scheduler'].map(
        (name) => `${action} ${name}`,
      ),
    ),
    'replace-agent mesos-agent',
  );
  const sketch = fc.record({
    does: fc.uniqueArray(what, { maxLength: 3, selector: (text) => text.split(' ')[1] }),
    leads: fc.boolean(),
    schedules: fc.boolean(),
    deaf: fc.boolean(),
    isNew: fc.boolean(),
  });
  const isMember = (text: string) =>
    /^(restart|restore) (zookeeper|mesos-master|mesosup-scheduler)$/.test(text);
  const isAgent = (text: string) => /^(restart|replace-agent|restore) mesos-agent$/.test(text);
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), sketch, { maxKeys: 12, noNullPrototype: true }),
      (hosts) => {
        const found = wavesOf(hosts);
        const order = found.flatMap((wave) => wave.hosts);
        const busy = Object.keys(hosts).filter((name) => hosts[name]?.does.length);
        expect(order.toSorted()).toEqual(busy.toSorted());
        if (!Object.values(hosts).some(({ leads }) => leads)) return;
        const agents = busy.filter((name) => hosts[name]?.does.some(isAgent)).length;
        for (const wave of found) {
          const doing = (is: (text: string) => boolean) =>
            wave.hosts.filter((name) => hosts[name]?.does.some(is)).length;
          expect(doing(isMember)).toBeLessThanOrEqual(1);
          expect(doing(isAgent)).toBeLessThanOrEqual(Math.ceil(agents / 4) || 1);
        }
      },
    ),
    { numRuns: runs(200) },
  );
});
