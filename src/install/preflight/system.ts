/** Whether the host's system can carry what it should run. */

import type { AptRepository, MesosSource } from '../../cluster/cluster.ts';
import { CLUSTERD, MESOSPHERE } from '../../cluster/repositories.ts';
import { compareNumbers } from '../versions.ts';
import { error, type HostCheck, isMesos, isOurs, warning } from './check.ts';

/** Of the payload's Node. */
const OLDEST_GLIBC = '2.28';

interface Packaged {
  readonly repository: AptRepository;
  /** By system id the versions there are packages for. All are for amd64 alone. */
  readonly systems: Readonly<Record<string, readonly string[]>>;
}

/** What the projects' own repositories have. Another repository is asked by apt itself. */
const PACKAGED: Partial<Record<MesosSource['kind'], Packaged>> = {
  clusterd: { repository: CLUSTERD, systems: { debian: ['11', '12'], ubuntu: ['22.04', '24.04'] } },
  mesosphere: { repository: MESOSPHERE, systems: { ubuntu: ['14.04', '16.04', '18.04'] } },
};

export const systemCheck: HostCheck = ({ cluster, host, own }) => {
  const { id, version, name } = own.system;
  const called = name || `${id} ${version}`;
  if (id !== 'debian' && id !== 'ubuntu') {
    return [error(host.name, 'system', `it runs ${called || 'an unknown system'}`, 'use Debian or Ubuntu')];
  }
  const packaged = usualSystems(cluster.mesos, id);
  if (packaged === undefined || !isMesos(host)) return [];
  const there = Object.entries(packaged).map(([system, versions]) => `${system} ${versions.join(' and ')}`);
  const others =
    'name a repository that has one (repository:), give a package of your own (source: package), or install Mesos yourself (source: preinstalled)';
  if (!(packaged[id] ?? []).some((one) => version === one || version.startsWith(`${one}.`))) {
    return [
      error(
        host.name,
        'system',
        `${cluster.mesos.kind} has no Mesos package for ${called}, only for ${there.join(', ')}`,
        others,
      ),
    ];
  }
  if (own.arch === 'amd64') return [];
  const message = `${cluster.mesos.kind} has Mesos packages for amd64 only, and this host is ${own.arch}`;
  return [error(host.name, 'arch', message, others)];
};

/** Undefined where the packages don't come from the project's own repository. */
function usualSystems(source: MesosSource, id: 'debian' | 'ubuntu'): Packaged['systems'] | undefined {
  const packaged = PACKAGED[source.kind];
  if (packaged === undefined || !('repository' in source)) return undefined;
  return source.repository[id] === packaged.repository[id] ? packaged.systems : undefined;
}

export const runtimeCheck: HostCheck = ({ host, own, payload }) => {
  if (!isOurs(host)) return [];
  const roles = host.roles.filter((role) => role === 'scheduler' || role === 'agent').join(' and ');
  if (payload.arch !== undefined && payload.arch !== own.arch) {
    return [
      error(
        host.name,
        'arch',
        `the host is ${own.arch}, and this mesosup brings a runtime for ${payload.arch}`,
        `run mesosup from a machine that is ${own.arch}`,
      ),
    ];
  }
  if (own.glibc === '') {
    const message = `its glibc can't be told; the role ${roles} needs ${OLDEST_GLIBC} or later`;
    return [warning(host.name, 'glibc', message, 'see that getconf GNU_LIBC_VERSION answers on it')];
  }
  if (compareNumbers(own.glibc, OLDEST_GLIBC) >= 0) return [];
  return [
    error(
      host.name,
      'glibc',
      `it has glibc ${own.glibc}; the role ${roles} runs on Node, which needs ${OLDEST_GLIBC} or later`,
      'take the role from it, or use Debian 10, Ubuntu 20.04 or later',
    ),
  ];
};

export const initCheck: HostCheck = ({ host, own }) =>
  own.init === 'other'
    ? [
        error(
          host.name,
          'init',
          'it has neither systemd nor Upstart, so nothing would start services on it',
          'boot it with systemd',
        ),
      ]
    : [];

export const cgroupCheck: HostCheck = ({ cluster, host, own }) => {
  if (!host.roles.includes('agent')) return [];
  if (own.cgroups === 'none') {
    const message = 'no cgroups are mounted, which Docker needs';
    return [error(host.name, 'cgroups', message, 'mount them, or boot the host with systemd')];
  }
  const asked = 'launcher' in cluster.agentFlags || 'launcher' in host.agentFlags;
  const picky = cluster.mesos.kind === 'clusterd' || cluster.mesos.kind === 'package';
  if (own.cgroups !== 'hybrid' || asked || !picky) return [];
  return [
    error(
      host.name,
      'cgroups',
      'it has hybrid cgroups (v2 beside v1), with which a stock Mesos agent refuses to start',
      'boot it with systemd.unified_cgroup_hierarchy=1 on the kernel command line, or say "launcher: posix" in agentFlags if your build can do it',
    ),
  ];
};
