import { describe, expect, test } from 'vitest';
import {
  aptFacts,
  bareFacts,
  bareHosts,
  clusterOf,
  directoryFacts,
  fileFacts,
  hostOf,
  payload,
  REPOSITORY,
  serviceFacts,
} from '../../../test/install/hosts.ts';
import type { Cluster, ClusterHost, MesosSource } from '../../cluster/cluster.ts';
import { CLUSTERD } from '../../cluster/repositories.ts';
import type { AptFacts } from '../apt-facts.ts';
import type { Facts } from '../facts.ts';
import { mesosLayout } from '../layout.ts';
import { missingFlag } from '../mesos-flag-names.ts';
import { agentFlags, masterFlags } from '../mesos-flags.ts';
import type { Problem } from '../plan.ts';
import { topologyOf, ZOO_CFG } from '../topology.ts';
import { preflight } from './preflight.ts';

const said = (problems: readonly Problem[]) =>
  problems.map(({ host, severity, check, message }) => `${host} ${severity} ${check}: ${message}`);

/** One host with all roles that one can have alone. */
function alone(
  facts: Partial<Facts>,
  changes: Partial<Cluster> = {},
  host: Partial<ClusterHost> = {},
): readonly Problem[] {
  const cluster = clusterOf([hostOf('h1', { roles: ['master', 'scheduler', 'agent'], ...host })], changes);
  return preflight({ cluster, facts: new Map([['h1', bareFacts('10.0.0.1', facts)]]), payload });
}

const deb: MesosSource = {
  kind: 'package',
  from: { file: '/x/aventer-mesos_1.11.0_amd64.deb' },
  sha256: 'ab'.repeat(32),
};
/** From the project's own repository, as it is without a word in the spec. */
const usual: Partial<Cluster> = { mesos: { kind: 'clusterd', repository: CLUSTERD } };
const system = (id: string, version: string) => ({
  system: { id, version, codename: 'x', name: `${id} ${version}` },
});
const installed = (version: string, status = 'install ok installed') => ({ version, status });

test('bare hosts of a supported system can be installed', () => {
  const cluster = clusterOf(['h1', 'h2', 'h3'].map((name) => hostOf(name)));
  expect(preflight({ cluster, facts: bareHosts(cluster), payload })).toEqual([]);
});

test('every problem has a remedy', () => {
  const problems = alone({
    ...system('fedora', '40'),
    glibc: '2.17',
    init: 'other',
    memoryBytes: 1,
    addresses: [],
  });
  expect(problems.map(({ check }) => check)).toEqual(['system', 'init', 'glibc', 'memory']);
  for (const { remedy } of problems) expect(remedy).not.toBe('');
});

describe('the system', () => {
  test.each([
    ['debian', '11'],
    ['debian', '12'],
    ['ubuntu', '22.04'],
    ['ubuntu', '24.04'],
  ])('%s %s has a package of ClusterD', (id, version) => {
    expect(alone(system(id, version), usual)).toEqual([]);
  });

  test.each([
    ['debian', '13'],
    ['ubuntu', '20.04'],
  ])('%s %s has none, but may have one of your own', (id, version) => {
    expect(said(alone(system(id, version), usual))).toEqual([
      `h1 error system: clusterd has no Mesos package for ${id} ${version}, only for debian 11 and 12, ubuntu 22.04 and 24.04`,
    ]);
    expect(alone(system(id, version), { mesos: deb })).toEqual([]);
    // A repository of one's own is asked by apt.
    expect(alone(system(id, version))).toEqual([]);
    const other = clusterOf([hostOf('h0'), hostOf('h1', { roles: ['scheduler'] })], usual);
    const facts = new Map([['h1', bareFacts('10.0.0.1', system(id, version))]]);
    expect(preflight({ cluster: other, facts, payload }).filter(({ host }) => host === 'h1')).toEqual([]);
  });

  test('an architecture that nobody builds for', () => {
    expect(alone({ arch: 'arm64' })).toEqual([]);
    expect(said(alone({ arch: 'arm64' }, usual))).toEqual([
      'h1 error arch: clusterd has Mesos packages for amd64 only, and this host is arm64',
    ]);
    const cluster = clusterOf([hostOf('h1', { roles: ['scheduler'] })], { mesos: deb });
    const facts = new Map([['h1', bareFacts('10.0.0.1', { arch: 'arm64' })]]);
    expect(said(preflight({ cluster, facts, payload: { ...payload, arch: 'amd64' } }))).toEqual([
      'h1 error arch: the host is arm64, and this mesosup brings a runtime for amd64',
    ]);
  });

  test('a glibc too old for Node matters to the roles that run on it', () => {
    const old: Partial<Facts> = { ...system('ubuntu', '18.04'), glibc: '2.27', cgroups: 'v1' };
    const legacy: Partial<Cluster> = { mesos: { kind: 'mesosphere', repository: REPOSITORY } };
    expect(said(alone(old, legacy))).toEqual([
      'h1 error glibc: it has glibc 2.27; the role scheduler and agent runs on Node, which needs 2.28 or later',
    ]);
    expect(alone(old, legacy, { roles: ['master'] })).toEqual([]);
    expect(alone({ glibc: '' }).map(({ severity }) => severity)).toEqual(['warning']);
  });

  test('hybrid cgroups stop a stock agent, unless the spec says that this one can do it', () => {
    expect(said(alone({ cgroups: 'hybrid' }))[0]).toMatch(/^h1 error cgroups: it has hybrid cgroups/);
    expect(alone({ cgroups: 'hybrid' }, { agentFlags: { launcher: 'posix' } })).toEqual([]);
    expect(alone({ cgroups: 'hybrid' }, {}, { agentFlags: { launcher: 'posix' } })).toEqual([]);
    expect(alone({ cgroups: 'hybrid' }, {}, { roles: ['master'] })).toEqual([]);
    expect(alone({ cgroups: 'v1' })).toEqual([]);
    expect(alone({ cgroups: 'none' }).map(({ check }) => check)).toEqual(['cgroups']);
  });
});

describe('room', () => {
  test('memory: a warning below what is needed, an error below half of it', () => {
    expect(said(alone({ memoryBytes: 900e6 }))).toEqual([
      'h1 warning memory: it has 900 MB of memory; its roles (master, scheduler, agent) need 1024 MB',
    ]);
    expect(alone({ memoryBytes: 500e6 })[0]?.severity).toBe('error');
  });

  test('disk: what packages and the payload need, per file system', () => {
    expect(said(alone({ diskFreeBytes: { '/': 1000e6, '/opt': 1000e6, '/var': 1000e6 } }))).toEqual([
      'h1 error disk: / and /var/cache/apt and /opt have 1000 MB free, and 1230 MB are needed',
    ]);
    expect(said(alone({ diskFreeBytes: { '/': 9e9, '/opt': 150e6, '/var': 8e9 } }))).toEqual([
      'h1 error disk: /opt has 150 MB free, and 200 MB are needed',
    ]);
    const packages = { 'docker.io': installed('20'), 'aventer-mesos': installed('1.11.0') };
    const mesosup = { ...bareFacts('x').mesosup, payloads: ['1.2.3'] };
    expect(alone({ diskFreeBytes: { '/': 1e6, '/opt': 1e6, '/var': 1e6 }, packages, mesosup })).toEqual([]);
  });
});

describe('what is on the host', () => {
  test('another cluster', () => {
    const mesosup = { ...bareFacts('x').mesosup, cluster: 'other' };
    expect(said(alone({ mesosup }))).toEqual(['h1 error cluster: it belongs to the cluster "other"']);
    expect(alone({ mesosup: { ...mesosup, cluster: 'prod' } })).toEqual([]);
  });

  test('a dpkg that works or was interrupted is told, and stops nothing', () => {
    expect(said(alone({ dpkg: { heldBy: 'unattended-upgr (812)', broken: [] } }))).toEqual([
      'h1 warning dpkg: dpkg is in use by unattended-upgr (812)',
    ]);
    expect(said(alone({ dpkg: { heldBy: '', broken: ['vim'] } }))).toEqual([
      'h1 warning dpkg: dpkg was interrupted: vim',
    ]);
  });

  test('a Mesos or Docker that should be there and is not', () => {
    const preinstalled: Partial<Cluster> = {
      mesos: { kind: 'preinstalled' },
      docker: { kind: 'preinstalled' },
    };
    expect(alone({}, preinstalled).map(({ check }) => check)).toEqual(['mesos', 'docker']);
    const files = { '/usr/local/sbin/mesos-agent': { ...directoryFacts(), type: 'file' as const } };
    expect(alone({ files, docker: { version: '27', running: true } }, preinstalled)).toEqual([]);
    const services = { docker: serviceFacts({ state: 'stopped' }) };
    const wrapper = { '/usr/bin/mesos-init-wrapper': { ...directoryFacts(), type: 'file' as const } };
    expect(alone({ files: wrapper, services }, preinstalled)).toEqual([]);
  });

  test('a Mesos that is too old, held, or of no known name', () => {
    const old: MesosSource = { ...deb, from: { file: '/x/mesos_1.4.1_amd64.deb' } };
    expect(alone({}, { mesos: old })[0]?.message).toMatch(/^Mesos 1.4.1 is too old/);
    const held = { 'aventer-mesos': installed('1.10.0', 'hold ok installed') };
    expect(said(alone({ packages: held }, { mesos: deb }))).toEqual([
      'h1 error package: the package aventer-mesos is held at 1.10.0, and 1.11.0 is wanted',
    ]);
    const unnamed: MesosSource = { ...deb, from: { url: 'https://x/download?id=7' } };
    expect(alone({}, { mesos: unnamed })[0]?.check).toBe('package');
  });

  test('the other Docker', () => {
    const packages = { 'docker-ce': installed('5:27.0') };
    expect(said(alone({ packages }))).toEqual([
      'h1 error docker: it has docker-ce 5:27.0, which stands in the way of the one from distribution',
    ]);
    const files = { '/etc/docker/daemon.json': fileFacts('{') };
    expect(alone({ files }).map(({ check, severity }) => `${severity} ${check}`)).toEqual(['warning docker']);
  });

  test("ports that others use, by name; our own services' are ours", () => {
    const listeners = [{ port: 5050, program: 'nginx' }];
    expect(said(alone({ listeners }))).toEqual([
      'h1 error port: port 5050, which the Mesos master needs, is in use by nginx',
    ]);
    const services = { 'mesos-master': serviceFacts() };
    expect(alone({ listeners, services })).toEqual([]);
    expect(alone({ listeners: [{ port: 2888, program: 'nginx' }] })).toEqual([]);
    const crashing = { 'mesos-master': serviceFacts({ state: 'failed' }) };
    expect(alone({ listeners: [{ port: 5050, program: '' }], services: crashing })[0]?.message).toContain(
      'another program',
    );
  });
});

test.each([
  ['/opt', { noexec: true, readonly: false }, /\/opt is on .* noexec, and mesosup's runtime can't run there/],
  ['/var', { noexec: true, readonly: false }, /\/var is on .* noexec, and dpkg's scripts can't run there/],
  ['/usr', { noexec: false, readonly: true }, /\/usr is on a file system that is mounted read-only/],
])('%s mounted as %j is refused', (path, mount, message) => {
  const found = said(alone({ mounts: { [path]: mount } }));
  expect(found).toEqual([expect.stringMatching(message)]);
  expect(said(alone({ mounts: { [path]: { noexec: false, readonly: false } } }))).toEqual([]);
});

test.each([
  ['10.0.0.1', 0],
  ['172.31.255.1', 0],
  ['192.168.3.4', 0],
  ['100.64.0.1', 0],
  ['172.32.0.1', 1],
  ['203.0.113.7', 1],
  ['100.128.0.1', 1],
])('the address %s brings %i warnings that strangers could reach it', (address, warnings) => {
  expect(said(alone({ addresses: [address] }))).toEqual(
    Array(warnings).fill(
      `h1 warning public: its address ${address} is public, and HTTP within the cluster is not encrypted`,
    ),
  );
});

describe('the packages of the plan', () => {
  const asked = (apt: Partial<AptFacts>, facts: Partial<Facts> = {}) =>
    alone({ apt: aptFacts(apt), ...facts });

  test('an obstacle is an error that names the package, its cause and the remedy', () => {
    const problems = asked({
      obstacles: [
        { kind: 'absent', name: 'a' },
        { kind: 'version', name: 'b', wanted: '2', available: ['1.1', '1.0'] },
        { kind: 'pinned', name: 'c', file: '/etc/apt/preferences.d/no', priority: -1 },
        { kind: 'held', name: 'd', version: '4' },
        { kind: 'unmet', name: 'e', reason: 'Depends: f', suspects: [{ name: 'f', heldAt: '5' }] },
        { kind: 'unmet', name: 'g', reason: 'Depends: h', suspects: [] },
      ],
    });
    expect(problems.map(({ message, remedy, severity }) => [severity, message, remedy])).toEqual([
      ['error', 'no repository of the host has the package a', expect.stringContaining('apt-get update')],
      ['error', 'no repository of the host has b 2, only 1.1, 1.0', expect.stringContaining('cluster file')],
      [
        'error',
        'apt has no candidate for c: /etc/apt/preferences.d/no pins it to priority -1',
        'take the pin of c out of /etc/apt/preferences.d/no, or give it a priority above 0',
      ],
      ['error', 'apt would change d, which is held at 4', 'run: apt-mark unhold d'],
      ['error', "apt can't install e: Depends: f; f is held at 5", 'run: apt-mark unhold f'],
      ['error', "apt can't install g: Depends: h", expect.stringContaining('apt-get -s install g')],
    ]);
  });

  test('a repository without the suite is the error, not the packages that are absent for it', () => {
    const missingSuites = [{ url: 'http://x/Debian', suite: 'trixie' }];
    expect(said(asked({ missingSuites, obstacles: [{ kind: 'absent', name: 'mesos' }] }))).toEqual([
      'h1 error repository: the repository http://x/Debian has no suite trixie',
    ]);
  });

  test('while a repository is unreachable an absent package proves nothing', () => {
    const found = asked({ unreachable: ['http://x timed out'], obstacles: [{ kind: 'absent', name: 'a' }] });
    expect(found.map(({ severity, check }) => `${severity} ${check}`)).toEqual([
      'warning repository',
      'warning package',
    ]);
  });

  test('what apt can not say beside an interrupted dpkg is not told twice', () => {
    expect(said(asked({ failure: 'broken' }))).toEqual([
      'h1 warning package: apt could not say what it would do: broken',
    ]);
    const dpkg = { heldBy: '', broken: ['vim'] };
    expect(asked({ failure: 'broken' }, { dpkg }).map(({ check }) => check)).toEqual(['dpkg']);
  });

  test('a removal or downgrade of what the owner had is refused, unless it is allowed by name', () => {
    const cluster = clusterOf([hostOf('h1', { roles: ['master', 'scheduler', 'agent'] })]);
    const apt = aptFacts({
      changes: [
        {
          name: 'containerd.io',
          action: 'remove',
          from: '1.6',
          conflictsWith: 'runc',
          wantedBy: 'docker.io',
        },
        { name: 'tini', action: 'downgrade', from: '9', to: '1', wantedBy: 'zookeeper' },
        { name: 'libc6', action: 'upgrade', from: '1', to: '2' },
      ],
    });
    const facts = new Map([['h1', bareFacts('10.0.0.1', { apt })]]);
    const refused = preflight({ cluster, facts, payload });
    expect(said(refused)).toEqual([
      'h1 error package: apt would remove containerd.io 1.6, because it conflicts with runc, which docker.io needs',
      'h1 error package: apt would downgrade tini from 9 to 1, because zookeeper needs it',
    ]);
    expect(refused.map(({ remedy }) => remedy)).toEqual([
      'say "source: preinstalled" for Docker if the host has one, or allow it by name: --allow-remove containerd.io',
      'allow it by name: --allow-remove tini',
    ]);
    expect(preflight({ cluster, facts, payload, allowRemove: ['tini', 'containerd.io'] })).toEqual([]);
  });
});

describe('Docker in other forms', () => {
  const forms = ['snap', 'static', 'rootless', 'desktop'] as const;
  const otherDockers = forms.map((form) => ({ form, path: `/x/${form}` }));
  const packages = { 'podman-docker': installed('4.3') };
  const severities = (problems: readonly Problem[]) =>
    problems.map(({ severity, message }) => `${severity} ${/\(([^)]*)\)/.exec(message)?.[1]}`);

  test('each is told with its path, and stops an install of another Docker; rootless gets along with it', () => {
    expect(severities(alone({ otherDockers, packages }))).toEqual([
      'error /x/snap',
      'error /x/static',
      'warning /x/rootless',
      'error /x/desktop',
      'error package podman-docker 4.3',
    ]);
  });

  test('as the preinstalled one, those that the executor can not use are warned of', () => {
    const docker = { version: '27', running: true };
    const preinstalled: Partial<Cluster> = { docker: { kind: 'preinstalled' } };
    expect(severities(alone({ otherDockers, packages, docker }, preinstalled))).toEqual([
      'warning /x/snap',
      'warning /x/rootless',
      'warning /x/desktop',
      'warning package podman-docker 4.3',
    ]);
  });

  test("on a host without tasks they are nobody's concern", () => {
    expect(alone({ otherDockers, packages }, {}, { roles: ['master'] })).toEqual([]);
  });
});

describe('hosts among each other', () => {
  const cluster = clusterOf(['h1', 'h2', 'h3'].map((name) => hostOf(name)));
  const of = (
    changes: Readonly<Record<string, Partial<Facts>>>,
    hosts: Readonly<Record<string, Partial<ClusterHost>>> = {},
  ) => {
    const facts = bareHosts(cluster);
    for (const [name, one] of Object.entries(changes)) {
      facts.set(name, bareFacts(`10.0.0.${name.slice(1)}`, one));
    }
    const own = cluster.hosts.map((host) => ({ ...host, ...hosts[host.name] }));
    return said(preflight({ cluster: { ...cluster, hosts: own }, facts, payload }));
  };

  test('no address, a loopback one, one that is not its own, and none that Mesos speaks', () => {
    expect(of({ h2: { addresses: [] } })).toEqual([
      'h2 error address: it has no IPv4 address of its own that others could reach it by',
    ]);
    expect(of({}, { h2: { privateAddress: '127.0.0.1' } })[0]).toContain('loopback address 127.0.0.1');
    expect(of({}, { h2: { privateAddress: '10.1.1.1' } })).toEqual([
      'h2 error address: the address 10.1.1.1 is none of its own (10.0.0.2)',
    ]);
    expect(of({}, { h2: { privateAddress: 'fd00::2' } })[0]).toContain('Mesos speaks IPv4 only');
  });

  test('two with one address, and two that are one machine', () => {
    expect(of({ h3: { addresses: ['10.0.0.1'], hostname: 'h3' } })).toEqual([
      'h3 error address: its address 10.0.0.1 is that of h1 too',
    ]);
    expect(of({ h3: { addresses: ['10.0.0.1'], hostname: bareFacts('10.0.0.1').hostname } })).toEqual([
      'h3 error machine: it is the same machine as h1',
    ]);
  });

  test('a clock ten minutes off is an error of that host alone, ten seconds are a warning', () => {
    const clock = (offsetMs: number) => ({ clock: { now: 0, offsetMs } });
    expect(of({ h2: clock(600_000) })).toEqual(['h2 error clock: its clock is 10 min ahead of the others']);
    expect(of({ h2: clock(-10_000) })).toEqual(['h2 warning clock: its clock is 10 s behind the others']);
    expect(of({ h2: clock(4_000) })).toEqual([]);
  });

  test('with two clocks it is the host whose clock is off, ahead or behind', () => {
    const one = clusterOf([hostOf('h1')]);
    for (const [offsetMs, how] of [
      [600_000, 'ahead of'],
      [-600_000, 'behind'],
    ] as const) {
      const found = bareHosts(one, { clock: { now: 0, offsetMs } });
      expect(said(preflight({ cluster: one, facts: found, payload }))).toEqual([
        `h1 error clock: its clock is 10 min ${how} this machine's`,
      ]);
    }
  });

  test('a clock of this machine that is off is no problem of three hosts that agree', () => {
    const clock = { clock: { now: 0, offsetMs: 600_000 } };
    expect(of({ h1: clock, h2: clock, h3: clock })).toEqual([]);
  });

  test('servers of two versions of ZooKeeper', () => {
    const zookeeper = (version: string) => ({ packages: { zookeeper: installed(version) } });
    expect(of({ h1: zookeeper('3.8.0-11'), h2: zookeeper('3.8.4-1'), h3: zookeeper('3.9.1-1') })).toEqual([
      'h3 warning zookeeper: its ZooKeeper is 3.9, and h1 has 3.8',
    ]);
  });

  test('a master that can not be asked is no problem of its own on a first install', () => {
    const facts = bareHosts(cluster);
    facts.delete('h3');
    expect(preflight({ cluster, facts, payload })).toEqual([]);
  });

  test('a server that can not be asked, of an ensemble in which two addresses could be its own', () => {
    const facts = bareHosts(cluster);
    facts.delete('h3');
    const text = [1, 2, 3, 4].map((id) => `server.${id}=10.0.0.${id}:2888:3888\n`).join('');
    for (const [name, own] of facts) {
      const mesosup = { ...own.mesosup, cluster: cluster.name };
      facts.set(name, { ...own, files: { ...own.files, [ZOO_CFG]: fileFacts(text) }, mesosup });
    }
    expect(said(preflight({ cluster, facts, payload }))).toEqual([
      'h3 error address: the address of h3 within the cluster is not known, and the other hosts have to know it',
    ]);
    const known = cluster.hosts.map((host) => (host.name === 'h3' ? { ...host, address: '10.0.0.3' } : host));
    expect(preflight({ cluster: { ...cluster, hosts: known }, facts, payload })).toEqual([]);
  });
});

describe('flags', () => {
  test('that Mesos does not have are told once for all hosts, with a suggestion', () => {
    const cluster = clusterOf(
      [hostOf('h1'), hostOf('h2', { agentFlags: { 'no-switch_usr': '', logger: '' } }), hostOf('h3')],
      {
        masterFlags: { max_agent_ping_timeout: '6', 'no-logger': '', slave_ping_timeout: '5secs' },
        agentFlags: { gc_delay: '2days', quorum: '1' },
      },
    );
    const problems = preflight({ cluster, facts: bareHosts(cluster), payload });
    expect(said(problems)).toEqual([
      'h1 warning flags: masterFlags.max_agent_ping_timeout: the Mesos master has no such flag; did you mean "max_agent_ping_timeouts"?',
      'h1 warning flags: agentFlags.quorum: the Mesos agent has no such flag',
      'h2 warning flags: agentFlags.no-switch_usr: the Mesos agent has no such flag; did you mean "no-switch_user"?',
    ]);
  });

  test('that came later than the Mesos of the host are told, and none where its version is not known', () => {
    const changes = { agentFlags: { docker_ignore_runtime: '', xfs_kill_containers: '' } };
    const mesos = (version: string) => ({
      mesos: { kind: 'clusterd', version, repository: REPOSITORY } as const,
    });
    expect(said(alone({}, { ...changes, ...mesos('1.8.1') }))).toEqual([
      'h1 warning flags: agentFlags.docker_ignore_runtime: the Mesos agent has this flag since 1.9, and this is 1.8.1',
    ]);
    expect(said(alone({}, { ...changes, ...mesos('1.11.0-0.9.0') }))).toEqual([]);
    expect(said(alone({}, changes))).toEqual([]);
  });

  test('that the installer sets are all flags of Mesos', () => {
    const cluster = clusterOf([hostOf('h1'), hostOf('h2'), hostOf('h3')]);
    const facts = bareHosts(cluster);
    const own = facts.get('h1') ?? bareFacts('10.0.0.1');
    const host = cluster.hosts[0] ?? hostOf('h1');
    const topology = topologyOf(cluster, facts);
    const input = {
      cluster,
      host,
      facts: own,
      topology,
      layout: mesosLayout(cluster, own),
      address: '10.0.0.1',
    };
    const unknown = [
      ...[...masterFlags(input).keys()].map((name) => missingFlag('master', name, '1.11.0')),
      ...[...agentFlags(input).keys()].map((name) => missingFlag('agent', name, '1.11.0')),
    ];
    expect(unknown.filter((reason) => reason !== undefined)).toEqual([]);
  });

  test('of the scheduler in a cluster that an older version remembers are told', () => {
    const changes = { schedulerFlags: { failover_timeot: '3', http_port: '9000' } };
    expect(said(alone({}, changes))).toEqual([
      'h1 warning flags: schedulerFlags.failover_timeot: is not known here; did you mean "failover_timeout"?',
      "h1 warning flags: schedulerFlags.http_port: can't be set here: mesosup sets it: use ports.scheduler instead",
    ]);
  });
});
