import { expect, test } from 'vitest';
import { inExamination, inFacts, on, service, withFault } from '../../../test/install/faults.ts';
import { ALL, cluster, seen, well } from '../../../test/install/healthy-cluster.ts';
import { clusterOf, fileFacts, hostOf, serviceFacts } from '../../../test/install/hosts.ts';
import { hostNamed } from '../../cluster/choose-hosts.ts';
import type { Role } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import type { Plan } from '../plan.ts';
import { DOCKER_CONFIG } from '../wanted/docker.ts';
import { TLS_CA } from '../wanted/tls.ts';
import { diagnose } from './diagnose.ts';
import type { Examination } from './examination.ts';
import { examinationRequest } from './request.ts';

test('finds nothing wrong with a healthy cluster', () => {
  expect(withFault(() => ({}))).toEqual([]);
});

test('finds faults of disks, and names each file system once', () => {
  expect(inExamination(on(['/', '/tmp', '/var/log'], { freeBlocks: 0.05 }))).toEqual([
    'h2 warning disk the disk of /, /tmp, /var/log is nearly full: 5.0 % are free',
  ]);
  expect(inExamination(on(['/var/lib/docker'], { freeBlocks: 0.001 }))).toEqual([
    'h2 error disk the disk of /var/lib/docker is nearly full: 0.1 % are free',
  ]);
  expect(inExamination(on(['/var/lib/docker'], { freeInodes: 0, freeInodeCount: 0 }))).toEqual([
    'h2 error inodes the file system of /var/lib/docker can hold only 0 more files',
  ]);
  // A file system in memory is what /tmp is for.
  expect(inExamination(on(['/var/lib/zookeeper', '/tmp'], { type: 'tmpfs' }))).toEqual([
    "h2 error volatile /var/lib/zookeeper is in memory (tmpfs): ZooKeeper's data will be lost when the host restarts",
  ]);
});

test('finds faults of names and networks', () => {
  expect(inExamination(() => ({ names: { 'h1.example': '10.0.0.1', 'h3.example': '' } }))).toEqual([
    "h2 error dns the host can't resolve the name h3.example",
  ]);
  expect(inExamination(() => ({ knowsItself: false }))).toEqual([
    "h2 warning dns the host can't resolve its own name host-10-0-0-2",
  ]);
  expect(inExamination(() => ({ mtu: 1400 }))).toEqual([
    'h2 warning mtu its network interface has an MTU of 1400, the other hosts have 1500: large packets may be lost',
  ]);
  const dropped = (own: Examination) => ({
    dials: own.dials.map((dial) => (dial.port === 5050 ? { ...dial, result: 'timeout' } : dial)),
  });
  expect(inExamination(dropped)).toEqual(
    ['h1 (10.0.0.1)', 'h3 (10.0.0.3)'].map(
      (other) =>
        `h2 error reach it can't connect to ${other} at port 5050, though the server there answers on its own host`,
    ),
  );
});

test("finds faults of Docker's configuration, and a Docker that hangs", () => {
  const engine = (change: object) => (own: Examination) =>
    own.engine ? { engine: { ...own.engine, ...change } } : {};
  expect(inExamination(engine({ liveRestore: false }))).toEqual([
    "h2 error live-restore Docker's live-restore is off: all containers end when Docker restarts",
  ]);
  expect(inExamination(engine({ driver: 'vfs' }))).toEqual([
    "h2 warning storage-driver Docker's storage driver is vfs, which copies each image for each container",
  ]);
  expect(inExamination(engine({ cgroupDriver: 'none' }))).toEqual([
    'h2 error cgroup-driver Docker has no cgroup driver: limits of CPU and memory have no effect',
  ]);
  expect(inFacts(() => ({ files: { [DOCKER_CONFIG]: fileFacts('{"live-restore": true}') } }))).toEqual([
    'h2 warning log-rotation Docker keeps all output of containers forever: its log files have no maximum size',
  ]);
  const { engine: _gone, ...hanging } = seen('h2');
  const examinations = new Map([
    ['h1', seen('h1')],
    ['h2', hanging],
    ['h3', seen('h3')],
  ]);
  expect(
    withFault(
      () => ({}),
      () => ({}),
      { examinations },
    ),
  ).toEqual(['h2 error docker Docker runs, but does not answer within 10 s']);
  expect(inExamination(() => ({ orphans: [{ id: 'a'.repeat(64), name: 'mesosup-x-1' }] }))).toEqual([
    'h2 warning orphans 1 container belongs to no executor',
  ]);
});

test('leaves a preinstalled Docker to its owner', () => {
  const preinstalled = clusterOf(cluster.hosts, { docker: { kind: 'preinstalled' } });
  const off = (own: Examination) => (own.engine ? { engine: { ...own.engine, liveRestore: false } } : {});
  expect(withFault(() => ({}), off, { cluster: preinstalled })).toEqual([
    "h2 warning live-restore Docker's live-restore is off: all containers end when Docker restarts",
  ]);
  const foreign = (own: Facts) => {
    const { docker: _none, ...others } = own.services;
    return { services: others };
  };
  expect(withFault(foreign, () => ({}), { cluster: preinstalled })).toEqual([]);
  const down = (own: Facts) => ({ ...foreign(own), docker: { version: '20.10.24', running: false } });
  expect(withFault(down, () => ({}), { cluster: preinstalled })).toEqual([
    'h2 error service (fix) the service docker (Docker) is not installed',
  ]);
});

test('hosts need not know the names by which SSH reaches them, but those of agents in Mesos', () => {
  const named = clusterOf([
    hostOf('h1', { address: 'alias-of-h1' }),
    hostOf('h2', { hostname: 'h2.example' }),
    hostOf('h3', { hostname: '10.0.0.3' }),
  ]);
  expect(examinationRequest(named, hostNamed(named, 'h1'), ALL)?.names).toEqual(['h2.example']);
});

test('each finding of a host has evidence', () => {
  const found = diagnose({
    cluster,
    facts: new Map([
      ['h1', { ...well('h1'), agent: { ...well('h1').agent, registered: false } }],
      ['h2', { ...well('h2'), mesosup: { ...well('h2').mesosup, started: false } }],
      [
        'h3',
        { ...well('h3'), services: { ...well('h3').services, docker: serviceFacts({ enabled: 'masked' }) } },
      ],
    ]),
    examinations: new Map([
      ['h1', { ...seen('h1'), knowsItself: false, logs: { 'mesos-agent': ['not authenticated'] } }],
      ['h2', seen('h2')],
      ['h3', { ...seen('h3'), names: { 'h1.example': '' } }],
    ]),
    unreachable: [],
    preflight: [],
    drift: undefined,
    agents: [],
  });
  expect(found.map(({ host, check, evidence }) => [host, check, ...evidence])).toEqual([
    ['h1', 'health', 'not authenticated'],
    ['h3', 'dns', 'getent ahostsv4 h1.example: no address'],
    ['h3', 'boot', 'systemctl is-enabled docker: masked'],
    ['h1', 'dns', 'getent hosts host-10-0-0-1: no address'],
    ['h2', 'stopped', '/var/lib/mesosup/started: missing'],
  ]);
});

test('expects the exporter of metrics only where there is a master or an agent', () => {
  const monitored = clusterOf(cluster.hosts, { monitoring: { listen: 'loopback', port: 9103 } });
  const facts = new Map([...ALL, ['h2', { ...well('h2'), services: {} }] as const]);
  const expected = (roles: readonly Role[]) =>
    examinationRequest(monitored, hostOf('h2', { roles }), facts)?.services ?? [];
  expect(expected(['scheduler'])).toEqual(['mesosup-scheduler']);
  expect(
    [['master'], ['agent'], ['scheduler', 'lb'], ['zookeeper']].map((roles) =>
      expected(roles as Role[]).includes('mesosup-monitoring'),
    ),
  ).toEqual([true, true, false, false]);
});

test('finds what runs have left', () => {
  const run = { id: 'r1', command: 'install', who: 'ann@box (7)', since: 1_700_000_000_000, alive: false };
  expect(inFacts((own) => ({ mesosup: { ...own.mesosup, run } }))).toEqual([
    'h2 error run (fix) "mesosup install" by ann@box (7) ended unexpectedly, so the host may be half changed',
  ]);
  expect(inFacts((own) => ({ mesosup: { ...own.mesosup, run: { ...run, alive: true } } }))).toEqual([]);
  expect(inFacts(() => ({ dpkg: { heldBy: '', broken: ['docker.io'] } }))).toEqual([
    'h2 error dpkg dpkg was interrupted: docker.io',
  ]);
  expect(inFacts((own) => ({ mesosup: { ...own.mesosup, current: '', payloads: [] } }))).toEqual([
    "h2 error payload (fix) mesosup's programs are missing: /opt/mesosup/current is gone",
  ]);
  const payloads = ['0.1.0', '0.2.0', '0.3.0', '1.2.3'];
  expect(inFacts((own) => ({ mesosup: { ...own.mesosup, payloads } }))).toEqual([
    'h2 warning payloads 3 old versions of mesosup take space in /opt/mesosup',
  ]);
  // Nobody should remove these.
  expect(
    inFacts((own) => ({ mesosup: { ...own.mesosup, payloads, released: ['0.1.0'], inUse: ['0.2.0'] } })),
  ).toEqual([]);
});

test('finds keys of repositories that have expired or soon will', () => {
  const expiring = (days: number) => () => ({
    files: {
      '/etc/apt/keyrings/x.gpg': {
        ...fileFacts(''),
        keys: { fingerprints: ['AB'], expires: 1_700_000_000_000 + days * 86_400_000 },
      },
    },
  });
  expect(inFacts(expiring(-1))[0]).toContain('h2 error key the apt key /etc/apt/keyrings/x.gpg expired on');
  expect(inFacts(expiring(10))[0]).toMatch(/h2 warning key .* in 10 days$/);
  expect(inFacts(expiring(31))).toEqual([]);
});

test('tells a stopped cluster, hosts that are not installed, and unreachable ones', () => {
  expect(inFacts((own) => ({ mesosup: { ...own.mesosup, started: false } }))).toEqual([
    'h2 warning stopped prod is stopped on this host',
  ]);
  expect(inFacts((own) => ({ mesosup: { ...own.mesosup, cluster: '', started: false } }))).toEqual([
    'h2 error absent (fix) the host is not installed',
  ]);
  const lost = {
    host: 'h2',
    check: 'unreachable',
    message: 'h2: no route',
    remedy: 'Start it.',
    severity: 'error' as const,
  };
  const facts = new Map([...ALL].filter(([name]) => name !== 'h2'));
  expect(
    withFault(
      () => ({}),
      () => ({}),
      { facts, unreachable: [lost] },
    ),
  ).toEqual(['h2 error unreachable h2: no route']);
  // The other hosts know that the one that can't be reached leads.
  const withoutLeader = new Map([...ALL].filter(([name]) => name !== 'h1'));
  const away = { ...lost, host: 'h1', message: 'h1: no route' };
  expect(
    withFault(
      () => ({}),
      () => ({}),
      { facts: withoutLeader, unreachable: [away] },
    ),
  ).toEqual(['h1 error unreachable h1: no route']);
  const leaderless = new Map(
    [...withoutLeader].map(([name, own]) => [
      name,
      {
        ...own,
        zookeeper: { ...own.zookeeper, mode: '' },
        agent: { ...own.agent, registered: false },
        scheduler: { ...own.scheduler, leader: '' },
      },
    ]),
  );
  expect(
    withFault(
      () => ({}),
      () => ({}),
      { facts: leaderless, unreachable: [away] },
    ).filter((text) => text.startsWith('cluster')),
  ).toEqual([
    'cluster error cluster ZooKeeper has no leader',
    'cluster error cluster no Mesos master is elected',
    'cluster error cluster no master has recovered the registry, and h1 does not answer: Mesos creates the registry of a new cluster only when all masters run',
    'cluster error cluster no scheduler leads',
  ]);
});

test('agents out of service are named with their host', () => {
  const agents = [
    { id: 'S-h2', hostname: '10.0.0.2', duty: 'drained' as const },
    { id: 'S-h1', hostname: '10.0.0.1', duty: 'active' as const },
  ];
  expect(
    withFault(
      () => ({}),
      () => ({}),
      { agents },
    ),
  ).toEqual(['h2 warning drained the agent 10.0.0.2 gets no tasks: it is drained']);
});

test('differences that another finding explains are not counted again', () => {
  const item = (id: string) => ({ id, action: 'start' as const, title: id, diff: [] });
  const drift = (...ids: string[]): Plan => ({
    format: 1,
    command: 'install',
    cluster: 'prod',
    version: '1.2.3',
    hosts: [{ host: 'h2', basis: '', items: ids.map(item) }],
  });
  const down = service('zookeeper', { state: 'stopped' });
  const more = { drift: drift('service:zookeeper') };
  expect(withFault(down, () => ({}), more)).toHaveLength(1);
  expect(withFault(down, () => ({}), { drift: drift('service:zookeeper', 'file:/etc/x') })).toEqual([
    'h2 error service (fix) the service zookeeper (ZooKeeper) is stopped',
    'h2 warning drift (fix) the host differs from the cluster file in 1 point',
  ]);
});

test('reports problems of the preflight, except the ones that matter only to an installation', () => {
  const problem = (check: string) => ({
    host: 'h2',
    check,
    message: check,
    remedy: '',
    severity: 'error' as const,
  });
  expect(
    withFault(
      () => ({}),
      () => ({}),
      { preflight: [problem('clock'), problem('dpkg'), problem('quorum')] },
    ),
  ).toEqual(['h2 error clock clock']);
});

test('looks at the certificates of a host with TLS, and at no key', () => {
  const facts = new Map(
    [...ALL].map(([name, own]) => [name, { ...own, files: { [TLS_CA]: fileFacts('') } }]),
  );
  const [host] = cluster.hosts;
  if (host === undefined) throw new TypeError();
  expect(examinationRequest(cluster, host, ALL)?.certificates).toEqual([]);
  expect(examinationRequest(cluster, host, facts)?.certificates).toEqual(
    ['ca', 'master', 'agent', 'scheduler', 'executor'].map((name) => `/etc/mesosup/tls/${name}.pem`),
  );
});
