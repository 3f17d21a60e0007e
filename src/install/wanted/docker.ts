/** The Docker engine of an agent. */

import type { DockerSource } from '../../cluster/cluster.ts';
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

/** The distribution's containerd makes them when it starts. */
const CNI_DIRECTORIES = ['/etc/cni', '/etc/cni/net.d'] as const;
/** Of its list and key: as Docker's own instructions call them. */
const DOCKER_REPOSITORY = 'docker';
const DOCKER_CE_PACKAGES = ['docker-ce', 'docker-ce-cli', 'containerd.io'] as const;

export function docker(context: Context): Part {
  if (!has(context, 'agent')) return {};
  const { cluster, own } = context;
  const packages = dockerPackages(cluster.docker, context);
  if (cluster.docker.kind === 'preinstalled') {
    // One that came otherwise than as a service is its owner's.
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
          file(DOCKER_CONFIG, content, { note: 'containers live on when the engine restarts' }),
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
 * What the engine makes for itself as soon as it runs. Made before it does, so that the journal knows what was there;
 * from then on they are the engine's.
 */
function engineDirectories({ cluster, own }: Context): Resource[] {
  const name = cluster.docker.kind === 'docker-ce' ? 'docker-ce' : 'docker.io';
  const installed = installedPackage(own, name) !== undefined;
  const made = (path: string, mode?: string): Resource[] => {
    const found = own.files[path];
    if (found === undefined) return installed ? [] : [directory(path, mode === undefined ? {} : { mode })];
    if (found.type !== 'directory') return [];
    // An empty mount point, say, gets the mode that the engine would give it.
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
      // From Debian 13 on the client is a package of its own.
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
 * Ours where there was none before us. A file that was there is its owner's: what is missing in it is added, such a
 * thing as a mirror or a proxy stays, and so does what it says otherwise. Undefined when it can't be read: then it stays
 * as it is.
 */
function daemonConfig({ own, render }: Context): string | undefined {
  const ours = render('config/docker-daemon.json', {});
  const entry = own.mesosup.journal.find((one) => one.kind === 'file' && one.path === DOCKER_CONFIG);
  const found = own.files[DOCKER_CONFIG];
  if (found === undefined || (entry?.kind === 'file' && entry.before === 'absent')) return ours;
  const theirs = parseObject(found.text);
  if (found.text === undefined || theirs === undefined) return undefined;
  const added = Object.entries(parseObject(ours) ?? {}).filter(
    // Limits are of one driver only.
    ([key]) => theirs[key] === undefined && !(key === 'log-opts' && theirs['log-driver'] !== undefined),
  );
  if (added.length === 0) return found.text;
  return `${JSON.stringify({ ...theirs, ...Object.fromEntries(added) }, null, 2)}\n`;
}

function parseObject(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Who logs in to administer the host may use Docker too; root may anyway. */
function memberships({ host, own }: Context): Resource[] {
  const user = host.connection.kind === 'ssh' ? host.connection.user : undefined;
  if (user === undefined || user === 'root' || !own.users[user]) return [];
  return [{ kind: 'user', name: user, home: `/home/${user}`, groups: ['docker'] }];
}
