import { describe, expect, test } from 'vitest';
import { serviceFacts } from '../../test/install/hosts.ts';
import { clusterFrom } from '../cluster/spec.ts';
import type { Facts } from './facts.ts';
import { clusterHealth } from './health.ts';
import { renderStatus, statusOf } from './status.ts';

function clusterOf(hosts: readonly string[]) {
  const result = clusterFrom({ hosts }, 'test');
  if (!result.ok) throw new Error('the test has a wrong spec');
  return result.value;
}

/** A healthy host of three. With `leads` it leads in every role. */
function well(leads: boolean): Facts {
  return {
    clock: { now: 0, offsetMs: 0 },
    system: { id: 'debian', version: '12', codename: 'bookworm', name: 'Debian GNU/Linux 12 (bookworm)' },
    arch: 'amd64',
    kernel: '6.1',
    glibc: '2.36',
    init: 'systemd',
    cgroups: 'v2',
    hostname: 'h',
    addresses: ['10.0.0.1'],
    sshAddress: '',
    cpus: 2,
    memoryBytes: 2 ** 32,
    diskFreeBytes: {},
    mounts: {},
    dpkg: { heldBy: '', broken: [] },
    packages: {},
    files: {},
    users: {},
    services: {},
    listeners: [],
    lb: { answers: true, balances: true, services: 3, problems: 0, answeredAt: 0 },
    zookeeper: { answers: true, mode: leads ? 'leader' : 'follower', version: '3.8.0' },
    master: {
      answers: true,
      elected: leads,
      recovered: leads,
      version: '1.11.0',
      agentsConnected: leads ? 3 : 0,
      frameworksActive: 1,
      problem: '',
    },
    agent: {
      answers: true,
      registered: true,
      version: '1.11.0',
      id: 'S1',
      tasks: 0,
      executors: 0,
      problem: '',
    },
    scheduler: { answers: true, leads, leader: 'x', subscribed: leads, version: '0.1.0', problem: '' },
    docker: { version: '20.10.24', running: true },
    otherDockers: [],
    mesosup: {
      cluster: 'mesosup',
      current: '0.1.0',
      payloads: ['0.1.0'],
      released: [],
      started: true,
      journal: [],
      run: null,
    },
  };
}

const cluster = clusterOf(['a', 'b', 'c']);
const healthy = new Map([
  ['a', well(false)],
  ['b', well(true)],
  ['c', well(false)],
]);
const plan = { format: 1, command: 'install', cluster: 'mesosup', version: '0.1.0' } as const;
const empty = { ...plan, hosts: ['a', 'b', 'c'].map((host) => ({ host, items: [], basis: '' })) };

function but(host: string, change: Partial<Facts>) {
  const facts = healthy.get(host);
  if (!facts) throw new Error(host);
  return new Map([...healthy, [host, { ...facts, ...change }]]);
}

describe('a load balancer', () => {
  const balanced = {
    ...cluster,
    hosts: cluster.hosts.map((host) => (host.name === 'a' ? { ...host, roles: ['lb'] as const } : host)),
  };
  const roleOf = (lb: Partial<Facts['lb']>) => {
    const packages = { haproxy: { version: '2.6.12-1+deb12u4', status: 'install ok installed' } };
    const facts = but('a', { packages, lb: { ...well(false).lb, ...lb } });
    return clusterHealth(balanced, facts).hosts[0]?.roles[0];
  };

  test('is healthy while it serves, and names problems of labels', () => {
    expect(roleOf({})).toEqual({
      role: 'lb',
      healthy: true,
      state: 'serves 3 ports of apps',
      version: '2.6.12',
    });
    expect(roleOf({ services: 1, problems: 2 })?.state).toBe(
      'serves 1 port of apps, 2 problems (see: mesosup lb check)',
    );
  });

  test.each<[Partial<Facts['lb']>, string]>([
    [{ balances: false }, 'haproxy is not running'],
    [{ answeredAt: -121_000 }, 'no scheduler answers; haproxy keeps its servers'],
    [{ answers: false }, 'does not answer on port 9102'],
  ])('is not healthy with %j', (lb, state) => {
    expect(roleOf(lb)).toMatchObject({ healthy: false, mayRecover: true, state });
  });
});

describe('a cluster', () => {
  test('is healthy when every role answers and one of each leads', () => {
    expect(clusterHealth(cluster, healthy)).toMatchObject({ healthy: true, problems: [] });
    expect(renderStatus(statusOf(cluster, healthy, [], empty))).toBe(
      `HOST  ROLES                                    VERSIONS                                                       HEALTH                                       DRIFT
a     zookeeper master scheduler agent docker  zookeeper 3.8.0, mesos 1.11.0, docker 20.10.24, mesosup 0.1.0  healthy                                      none
b     zookeeper master scheduler agent docker  zookeeper 3.8.0, mesos 1.11.0, docker 20.10.24, mesosup 0.1.0  healthy, leads zookeeper, master, scheduler  none
c     zookeeper master scheduler agent docker  zookeeper 3.8.0, mesos 1.11.0, docker 20.10.24, mesosup 0.1.0  healthy                                      none

mesosup is healthy`,
    );
  });

  test.each<[string, Map<string, Facts>, RegExp]>([
    [
      'ZooKeeper in no quorum',
      but('a', { zookeeper: { answers: true, mode: '', version: '3.8.0' } }),
      /a: zookeeper answers, but has no quorum/,
    ],
    [
      'an agent not registered',
      but('c', { agent: { ...well(false).agent, registered: false } }),
      /c: agent not registered yet/,
    ],
    [
      'a master whose credentials are refused',
      but('a', { master: { ...well(false).master, problem: 'refuses the credentials' } }),
      /a: master refuses the credentials/,
    ],
    ['no leaders', but('b', well(false)), /no Mesos master is elected[\s\S]*no scheduler leads/],
    [
      'a registry that waits for a master',
      new Map([
        ['a', { ...well(false), master: { ...well(false).master, answers: false } }],
        ['b', { ...well(true), master: { ...well(true).master, recovered: false } }],
        ['c', well(false)],
      ]),
      /no master has recovered the registry, and a does not answer: Mesos creates the registry of a new cluster only when all masters run/,
    ],
    ['two leaders', but('a', well(true)), /2 Mesos masters lead/],
    [
      'an agent the master does not know',
      but('b', { master: { ...well(true).master, agentsConnected: 2 } }),
      /2 of 3 agents are connected to the master/,
    ],
    [
      'a scheduler not subscribed',
      but('b', { scheduler: { ...well(true).scheduler, subscribed: false } }),
      /b: scheduler leader, not subscribed yet/,
    ],
    ['Docker down', but('a', { docker: { version: '', running: false } }), /a: docker not running/],
    [
      'a service that is silent',
      but('a', { agent: { ...well(false).agent, answers: false } }),
      /a: agent does not answer on port 5051/,
    ],
  ])('is not healthy with %s', (_what, facts, said) => {
    const status = statusOf(cluster, facts, [], empty);
    expect(status.healthy).toBe(false);
    expect(renderStatus(status)).toMatch(said);
  });

  test('shows hosts that are stopped, not installed or unreachable', () => {
    const facts = new Map([
      ['a', { ...well(true), mesosup: { ...well(true).mesosup, started: false } }],
      ['b', { ...well(false), mesosup: { ...well(true).mesosup, cluster: '' } }],
    ]);
    const problem = {
      host: 'c',
      check: 'unreachable',
      message: 'c: timed out',
      remedy: '',
      severity: 'error' as const,
    };
    const status = statusOf(cluster, facts, [problem], undefined);
    expect(status.hosts.map(({ state, drift }) => [state, drift])).toEqual([
      ['installed', null],
      ['absent', null],
      ['unreachable', null],
    ]);
    expect(renderStatus(status)).toContain('c: timed out');
  });

  test('does not report services that a run in progress has not started yet', () => {
    const run = { id: 'x', command: 'install', who: 'me@there (7)', since: 0, alive: true };
    const agent = { ...well(false).agent, answers: false };
    const master = { ...well(false).master, answers: false };
    const text = renderStatus(
      statusOf(cluster, but('b', { agent, master, mesosup: { ...well(false).mesosup, run } }), [], empty),
    );
    expect(text).not.toMatch(/does not answer|is elected/);
    expect(text).toMatch(/mesosup is being changed. When the run is done, run again: mesosup status$/);
  });

  test('may recover if only a slow or starting service is missing', () => {
    const agent = { ...well(false).agent, answers: false, silence: 'timeout' as const, tookMs: 10_000 };
    const health = (facts: Map<string, Facts>) => clusterHealth(cluster, facts);
    expect(health(healthy).mayRecover).toBe(false);
    expect(health(but('a', { agent })).mayRecover).toBe(true);
    expect(health(but('b', well(false))).mayRecover).toBe(true);
    const services = { 'mesos-agent': serviceFacts({ state: 'failed' }) };
    expect(health(but('a', { agent, services })).mayRecover).toBe(false);
    expect(health(new Map([...healthy].slice(1))).mayRecover).toBe(false);
  });

  test('shows the time of a slow answer, and of a timeout', () => {
    const slow = but('a', { agent: { ...well(false).agent, tookMs: 4230 } });
    expect(clusterHealth(cluster, slow)).toMatchObject({ healthy: true });
    expect(clusterHealth(cluster, slow).hosts[0]?.roles).toContainEqual(
      expect.objectContaining({ role: 'agent', state: 'registered, slow: answered after 4.2 s' }),
    );
    const agent = { ...well(false).agent, answers: false, silence: 'timeout' as const, tookMs: 10_000 };
    expect(renderStatus(statusOf(cluster, but('a', { agent }), [], empty))).toContain(
      'a: agent does not answer on port 5051 within 10.0 s',
    );
  });

  test('shows a run in progress with its user and start time', () => {
    const run = { id: 'x', command: 'install', who: 'me@there (7)', since: 0, alive: true };
    const facts = but('a', { mesosup: { ...well(false).mesosup, run } });
    expect(renderStatus(statusOf(cluster, facts, [], empty)).split('\n')[0]).toBe(
      'a: install by me@there (7) (since 1970-01-01T00:00:00.000Z) is in progress',
    );
  });
});
