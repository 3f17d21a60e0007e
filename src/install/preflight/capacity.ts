/** Checks memory, disk space and mount options. */

import type { Cluster, ClusterHost, Role } from '../../cluster/cluster.ts';
import { isMesos } from '../../cluster/topology.ts';
import { mesosPackage } from '../layout.ts';
import { installedPackage } from '../package-state.ts';
import type { Targets } from '../probe-targets.ts';
import { usesRuntime } from '../runtime.ts';
import { ZOOKEEPER_PACKAGE } from '../wanted/zookeeper.ts';
import { error, type HostCheck, type HostCheckInput, warning } from './check.ts';

const MB = 1e6;

/** In MB, without the memory of tasks. */
const MEMORY: Readonly<Record<Role, number>> = {
  zookeeper: 256,
  master: 256,
  scheduler: 256,
  agent: 256,
  lb: 256,
};
const MEMORY_OF_SYSTEM = 256;

export const memoryCheck: HostCheck = ({ host, own }) => {
  const needed = host.roles.reduce((sum, role) => sum + MEMORY[role], MEMORY_OF_SYSTEM);
  const found = Math.floor(own.memoryBytes / MB);
  if (found >= needed) return [];
  const report = found < needed / 2 ? error : warning;
  const message = `the host has ${found} MB of memory; its roles (${host.roles.join(', ')}) need ${needed} MB`;
  return [report(host.name, 'memory', message, 'Remove roles from the host, or add memory to it.')];
};

/** Approximate sizes in MB, with dependencies: unpacked beneath /usr, and downloaded. */
const PACKAGES = {
  docker: { unpacked: 420, download: 110 },
  mesos: { unpacked: 400, download: 100 },
  // With a Java runtime.
  zookeeper: { unpacked: 520, download: 130 },
} as const;

/** Size of the unpacked payload, as a multiple of its archive. */
const UNPACKED_PAYLOAD = 4;

export const diskCheck: HostCheck = (input) => {
  const { host, own } = input;
  // Directories with the same number of free bytes are taken to be on the same file system.
  const systems = new Map<number, { needed: number; paths: string[] }>();
  for (const [path, needed] of needs(input)) {
    const free = freeAt(own.diskFreeBytes, path);
    if (free === undefined || needed === 0) continue;
    const system = systems.get(free) ?? { needed: 0, paths: [] };
    system.needed += needed;
    system.paths.push(path);
    systems.set(free, system);
  }
  return [...systems].flatMap(([free, { needed, paths }]) =>
    free >= needed
      ? []
      : [
          error(
            host.name,
            'disk',
            `${paths.join(' and ')} ${paths.length === 1 ? 'has' : 'have'} ${Math.floor(free / MB)} MB free, but ${Math.ceil(needed / MB)} MB are needed`,
            'Free disk space there, for example with: apt-get clean',
          ),
        ],
  );
};

/** Directories that must be writable and, where `runs` names programs, allow execution; `on` selects the hosts. */
const PLACES: readonly {
  readonly path: string;
  readonly runs?: string;
  readonly on: (host: ClusterHost, cluster: Cluster) => boolean;
}[] = [
  { path: '/usr', on: () => true },
  { path: '/etc', on: () => true },
  { path: '/var', runs: "dpkg's scripts", on: () => true },
  { path: '/opt', runs: "mesosup's runtime", on: (host, cluster) => usesRuntime(cluster, host) },
  { path: '/var/lib/mesos', runs: 'the Docker executor', on: (host) => host.roles.includes('agent') },
  { path: '/var/lib/docker', runs: 'containers', on: (host) => host.roles.includes('agent') },
];

export const mountCheck: HostCheck = ({ cluster, host, own }) =>
  PLACES.filter(({ on }) => on(host, cluster)).flatMap(({ path, runs }) => {
    const mount = own.mounts[path];
    if (mount?.readonly) {
      const message = `${path} is on a file system that is mounted read-only`;
      return [
        error(
          host.name,
          'mount',
          message,
          `Make it writable: mount -o remount,rw "$(findmnt -n -o TARGET -T ${path})"`,
        ),
      ];
    }
    if (!mount?.noexec || runs === undefined) return [];
    const message = `${path} is on a file system that is mounted noexec, so ${runs} can't run there`;
    return [
      error(
        host.name,
        'mount',
        message,
        `Remove noexec from /etc/fstab, and run: mount -o remount,exec "$(findmnt -n -o TARGET -T ${path})"`,
      ),
    ];
  });

/** Directories of unpacked packages, of downloads and of the payload. */
const SPACE = { packages: '/', download: '/var/cache/apt', payload: '/opt' } as const;

export const CAPACITY_TARGETS: Targets = {
  disks: [...new Set([...Object.values(SPACE), ...PLACES.map(({ path }) => path)])],
  packages: ['docker.io', 'docker-ce', ZOOKEEPER_PACKAGE],
};

function needs({ cluster, host, own, payload }: HostCheckInput): [path: string, bytes: number][] {
  const missing: (keyof typeof PACKAGES)[] = [];
  const mesos = mesosPackage(cluster.mesos);
  if (isMesos(host) && mesos !== undefined && !installedPackage(own, mesos)) missing.push('mesos');
  if (host.roles.includes('agent') && cluster.docker.kind !== 'preinstalled') {
    const name = cluster.docker.kind === 'docker-ce' ? 'docker-ce' : 'docker.io';
    if (!installedPackage(own, name)) missing.push('docker');
  }
  if (host.roles.includes('zookeeper') && !installedPackage(own, ZOOKEEPER_PACKAGE))
    missing.push('zookeeper');
  const sum = (part: 'unpacked' | 'download') =>
    missing.reduce((bytes, name) => bytes + PACKAGES[name][part] * MB, 0);
  const unpacks = usesRuntime(cluster, host) && own.mesosup.payloads.length === 0;
  return [
    [SPACE.packages, sum('unpacked')],
    [SPACE.download, sum('download')],
    [SPACE.payload, unpacks ? payload.bytes * (1 + UNPACKED_PAYLOAD) : 0],
  ];
}

/** Returns the free bytes of the directory, or of its nearest known ancestor. */
function freeAt(free: Readonly<Record<string, number>>, path: string): number | undefined {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    if (free[at] !== undefined) return free[at];
    if (at === '/') return undefined;
  }
}
