/** Random clusters and hosts, for property tests. */

import fc from 'fast-check';
import type {
  Cluster,
  ClusterHost,
  DockerSource,
  MesosFlags,
  MesosSource,
  Role,
} from '../../src/cluster/cluster.ts';
import type { AptChange } from '../../src/install/apt-facts.ts';
import type { Facts } from '../../src/install/facts.ts';
import { aptFacts, bareFacts, clusterOf, directoryFacts, fileFacts, hostOf, REPOSITORY } from './hosts.ts';

const mesos: fc.Arbitrary<MesosSource> = fc.constantFrom<MesosSource>(
  { kind: 'clusterd', repository: REPOSITORY },
  { kind: 'clusterd', repository: REPOSITORY, version: '1.11.0' },
  { kind: 'mesosphere', repository: REPOSITORY },
  { kind: 'package', from: { file: '/tmp/aventer-mesos_1.11.0-0.7_amd64.deb' }, sha256: 'cd'.repeat(32) },
  { kind: 'preinstalled' },
);

const docker: fc.Arbitrary<DockerSource> = fc.constantFrom<DockerSource>(
  { kind: 'distribution' },
  { kind: 'docker-ce', repository: REPOSITORY },
  { kind: 'preinstalled' },
);

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/);
/** Text that is hostile to shells, units and templates. */
const value = fc
  .string({ maxLength: 12 })
  .filter((text) => !/\p{Cc}/u.test(text) && text.trim() === text && text !== '');
const table = fc.dictionary(word, value, { maxKeys: 3, noNullPrototype: true });
const resources = fc.record(
  { cpus: fc.constantFrom('1', '2', '8'), ports: fc.constantFrom('[1-5]', '[1-9]', '[3-4,6-7]') },
  { requiredKeys: [], noNullPrototype: true },
);

const ROLES: readonly (readonly Role[])[] = [
  ['agent'],
  ['scheduler'],
  ['scheduler', 'agent'],
  ['zookeeper'],
  ['lb'],
  ['agent', 'lb'],
];

/** Other work directories of Mesos. */
const WORK_DIRS = { masterFlags: '/data/master/', agentFlags: '/data/agent' } as const;

/** One master, or three with ZooKeeper; everything else varies. */
export const anyCluster: fc.Arbitrary<Cluster> = fc
  .record({
    many: fc.boolean(),
    others: fc.array(fc.constantFrom(...ROLES), { maxLength: 2 }),
    mesos,
    docker,
    attributes: fc.array(table, { minLength: 5, maxLength: 5 }),
    resources: fc.array(resources, { minLength: 5, maxLength: 5 }),
    agentFlags: table,
    masterFlags: table,
    schedulerFlags: table,
    workDirs: fc.subarray(['masterFlags', 'agentFlags'] as const),
    also: fc.subarray<Role>(['scheduler', 'agent']),
  })
  .map((one) => {
    const first: readonly Role[] = one.many ? ['zookeeper', 'master', ...one.also] : ['master', ...one.also];
    const extras = one.many ? one.others : one.others.filter((roles) => !roles.includes('zookeeper'));
    const roles = [...(one.many ? [first, first, first] : [first]), ...extras];
    const hosts = roles.map(
      (own, index): ClusterHost =>
        hostOf(`h${index + 1}`, {
          roles: own,
          ...(own.includes('agent') && {
            attributes: one.attributes[index] ?? {},
            resources: one.resources[index] ?? {},
          }),
        }),
    );
    const { agentFlags, masterFlags, schedulerFlags } = one;
    const ownDir = (key: keyof typeof WORK_DIRS, flags: MesosFlags) =>
      one.workDirs.includes(key) ? { ...flags, work_dir: WORK_DIRS[key] } : flags;
    return clusterOf(hosts, {
      mesos: one.mesos,
      docker: one.docker,
      agentFlags: ownDir('agentFlags', agentFlags),
      masterFlags: ownDir('masterFlags', masterFlags),
      schedulerFlags,
    });
  });

/** Possible states of a host before the first run. */
const anyFacts = fc.record({
  init: fc.constantFrom<Facts['init']>('systemd', 'upstart'),
  version: fc.constantFrom('11', '12', '13'),
  daemon: fc.constantFrom(undefined, '{"registry-mirrors":["https://m"]}\n', 'no JSON'),
  stray: fc.boolean(),
  broken: fc.boolean(),
  rival: fc.boolean(),
  mounted: fc.boolean(),
});

/** A package of the owner's that apt would remove. */
const RIVAL: AptChange = { name: 'podman-docker', action: 'remove', from: '4.3.1', wantedBy: 'docker.io' };

/** Facts for each host of the cluster, by name. */
export function anyHosts(cluster: Cluster): fc.Arbitrary<Map<string, Facts>> {
  return fc.array(anyFacts, { minLength: cluster.hosts.length, maxLength: cluster.hosts.length }).map(
    (all) =>
      new Map(
        cluster.hosts.map(({ name }, index) => {
          const one = all[index];
          const bare = bareFacts(`10.0.0.${index + 1}`);
          const files = {
            ...bare.files,
            ...(one?.daemon !== undefined && {
              '/etc/docker': directoryFacts(),
              '/etc/docker/daemon.json': fileFacts(one.daemon),
            }),
            ...(one?.mounted && { '/data/agent': directoryFacts({ mode: '0700', owner: 'ann' }) }),
            ...(one?.stray && {
              '/etc/mesos-agent': directoryFacts(),
              '/etc/mesos-agent/ip.bak': fileFacts('1.2.3.4'),
            }),
          };
          const facts: Facts = {
            ...bare,
            init: one?.init ?? 'systemd',
            system: { ...bare.system, version: one?.version ?? '12' },
            dpkg: { heldBy: '', broken: one?.broken ? ['libc6'] : [] },
            files,
            ...(one?.rival && {
              packages: { [RIVAL.name]: { version: '4.3.1', status: 'install ok installed' } },
              apt: aptFacts({ changes: [RIVAL] }),
            }),
          };
          return [name, facts] as const;
        }),
      ),
  );
}
