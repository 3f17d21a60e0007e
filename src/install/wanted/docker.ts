/** The Docker engine of an agent. */

import type { DockerSource } from '../../cluster/cluster.ts';
import { isJson, type Json, parseJson } from '../../json.ts';
import { installedPackage } from '../package-state.ts';
import type { PackageResource } from '../resources/package.ts';
import type { Resource } from '../resources/registry.ts';
import { compareNumbers, meetsVersion } from '../versions.ts';
import { directory, file, service } from './build.ts';
import { type Brought, type Context, has, type Part } from './context.ts';
import { aptRepository, wantsRepository } from './repository.ts';

export const DOCKER_SERVICE = 'docker';
export const DOCKER_CONFIG = '/etc/docker/daemon.json';
export const DOCKER_DATA = '/var/lib/docker';
export const DOCKER_BROUGHT: readonly Brought[] = [
  {
    packages: ['docker.io', 'docker-ce'],
    service: DOCKER_SERVICE,
    traces: ['/etc/docker/key.json'],
    data: [DOCKER_DATA],
  },
  { packages: ['containerd.io', 'containerd'], data: ['/var/lib/containerd'] },
];

/** The distribution's containerd creates these directories when it starts. */
const CNI_DIRECTORIES = ['/etc/cni', '/etc/cni/net.d'] as const;
/** Name of the list and the key, as in Docker's own instructions. */
const DOCKER_REPOSITORY = 'docker';
const DOCKER_CE_PACKAGES = ['docker-ce', 'docker-ce-cli', 'containerd.io'] as const;

export function docker(context: Context): Part {
  if (!has(context, 'agent')) return {};
  const { cluster, own } = context;
  const packages = dockerPackages(cluster.docker, context);
  if (cluster.docker.kind === 'preinstalled') {
    // mesosup does not manage a Docker that is not a service.
    return own.services[DOCKER_SERVICE]
      ? { services: [{ ...service(context, DOCKER_SERVICE, [], { running: true }), inputs: '' }] }
      : {};
  }
  const content = daemonConfig(context);
  const configuration: Resource[] =
    content === undefined
      ? []
      : [
          directory('/etc/docker'),
          file(DOCKER_CONFIG, content, { note: 'containers survive a restart of the engine' }),
        ];
  const satisfied = packages.every(({ name, version }) => {
    const found = installedPackage(own, name);
    return found !== undefined && meetsVersion(found.version, version);
  });
  return {
    repositories:
      cluster.docker.kind === 'docker-ce' && wantsRepository(own, DOCKER_REPOSITORY, satisfied)
        ? aptRepository(context, DOCKER_REPOSITORY, cluster.docker.repository)
        : [],
    packages,
    configuration: [...engineDirectories(context), ...configuration, ...memberships(context)],
    services: [service(context, DOCKER_SERVICE, [...packages, ...configuration], { running: true })],
  };
}

/**
 * Directories that the engine creates when it starts. mesosup creates them before, so that the journal records their
 * previous state. Afterwards the engine manages them.
 */
function engineDirectories({ cluster, own }: Context): Resource[] {
  const name = cluster.docker.kind === 'docker-ce' ? 'docker-ce' : 'docker.io';
  const installed = installedPackage(own, name) !== undefined;
  const made = (path: string, mode?: string): Resource[] => {
    const found = own.files[path];
    if (found === undefined) return installed ? [] : [directory(path, mode === undefined ? {} : { mode })];
    if (found.type !== 'directory') return [];
    // An existing directory, for example an empty mount point, gets the mode that the engine would set.
    const { owner, group } = found;
    return [{ kind: 'directory', path, owner, group, mode: (installed ? undefined : mode) ?? found.mode }];
  };
  return [
    ...made(DOCKER_DATA, '0710'),
    ...(cluster.docker.kind === 'distribution' ? CNI_DIRECTORIES.flatMap((path) => made(path)) : []),
  ];
}

function dockerPackages(source: DockerSource, { own }: Context): PackageResource[] {
  switch (source.kind) {
    case 'preinstalled':
      return [];
    case 'docker-ce':
      return DOCKER_CE_PACKAGES.map((name) => packageOf(name, name === 'containerd.io' ? {} : source));
    case 'distribution': {
      // Since Debian 13 the client is a separate package.
      const apart = own.system.id === 'debian' && compareNumbers(own.system.version || '13', '13') >= 0;
      return [
        packageOf('docker.io', source),
        ...(apart ? [packageOf('docker-cli', source)] : []),
        packageOf('iptables', {}),
      ];
    }
  }
}

function packageOf(name: string, { version }: { readonly version?: string }): PackageResource {
  return { kind: 'package', name, ...(version !== undefined && { version }) };
}

/**
 * Returns mesosup's configuration if the host had none. If it had one, adds the missing keys and keeps all others, for
 * example a mirror or a proxy. Undefined when the file can't be read: then it is not changed.
 */
function daemonConfig({ own, render }: Context): string | undefined {
  const ours = render('config/docker-daemon.json', {});
  const entry = own.mesosup.journal.find((one) => one.kind === 'file' && one.path === DOCKER_CONFIG);
  const found = own.files[DOCKER_CONFIG];
  if (found === undefined || (entry?.kind === 'file' && entry.before === 'absent')) return ours;
  const theirs = parseObject(found.text);
  if (found.text === undefined || theirs === undefined) return undefined;
  const added = Object.entries(parseObject(ours) ?? {}).filter(
    // Limits of log files apply to one driver only.
    ([key]) => theirs[key] === undefined && !(key === 'log-opts' && theirs['log-driver'] !== undefined),
  );
  if (added.length === 0) return found.text;
  return `${JSON.stringify({ ...theirs, ...Object.fromEntries(added) }, null, 2)}\n`;
}

function parseObject(text: string | undefined): Json | undefined {
  const value = parseJson(text ?? '');
  return isJson(value) ? value : undefined;
}

/** Adds the user who logs in to the group docker; root needs no group. */
function memberships({ host, own }: Context): Resource[] {
  const user = host.connection.kind === 'ssh' ? host.connection.user : undefined;
  if (user === undefined || user === 'root' || !own.users[user]) return [];
  return [{ kind: 'user', name: user, home: `/home/${user}`, groups: ['docker'] }];
}
