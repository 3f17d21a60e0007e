/** Builds a cluster from a valid spec: fills in every default. */

import type {
  AptRepository,
  Cluster,
  ClusterHost,
  Connection,
  DockerSource,
  MesosSource,
  Role,
} from './cluster.ts';
import { parseHostAddress } from './host-address.ts';
import { CLUSTERD, DOCKER_CE, MESOSPHERE } from './repositories.ts';
import type { Spec, SpecHost, SpecInput, SpecRepository } from './spec-schema.ts';

export const DEFAULT_NAME = 'mesosup';
const EXPORTER_PORT = 9103;
const PORTS = { master: 5050, agent: 5051, scheduler: 8080, zookeeper: 2181 };

type HostBlock = Exclude<SpecHost, string>;

export function buildCluster(spec: Spec): Cluster {
  const written = spec.hosts.map(asBlock);
  const anyRoles = written.some((host) => host.roles);
  return {
    name: spec.name ?? DEFAULT_NAME,
    mesos: mesosOf(spec.mesos ?? { source: 'clusterd' }),
    docker: dockerOf(spec.docker ?? { source: 'distribution' }),
    hosts: written.map((host, index) => {
      const usual = (anyRoles ? (['agent'] as const) : defaultRoles(index, written.length)).filter(
        (role) => role !== 'zookeeper' || spec.zookeeper === undefined,
      );
      return hostOf(host, host.roles ?? usual, spec.ssh ?? {});
    }),
    masterFlags: spec.masterFlags ?? {},
    agentFlags: spec.agentFlags ?? {},
    schedulerFlags: spec.schedulerFlags ?? {},
    ...defined({ lbFlags: spec.lbFlags }),
    ...(spec.monitoring && {
      monitoring: { listen: 'loopback' as const, port: EXPORTER_PORT, ...defined(spec.monitoring) },
    }),
    ports: { ...PORTS, ...defined(spec.ports ?? {}) },
    ...defined({ zookeeper: spec.zookeeper, tls: spec.tls }),
  };
}

/**
 * Returns the roles of the host at an index when no host has roles in the spec. All hosts are agents. Of one or two
 * hosts, the first is also master and scheduler, without ZooKeeper. Of more, the first three are also masters with
 * ZooKeeper and scheduler.
 */
export function defaultRoles(index: number, hosts: number): Role[] {
  if (hosts <= 2) return index === 0 ? ['master', 'scheduler', 'agent'] : ['agent'];
  return index < 3 ? ['zookeeper', 'master', 'scheduler', 'agent'] : ['agent'];
}

/** Returns a host that is written as `user@name:port` as a block. */
function asBlock(host: SpecHost): HostBlock {
  if (typeof host !== 'string') return host;
  const address = parseHostAddress(host);
  if (!address) throw new TypeError(`"${host}" is not the address of a host`);
  const { host: name, user, port } = address;
  return { name, ssh: defined({ user, port }) };
}

function hostOf(host: HostBlock, roles: readonly Role[], ssh: NonNullable<Spec['ssh']>): ClusterHost {
  const connection: Connection = host.local
    ? { kind: 'local' }
    : { kind: 'ssh', ...defined(ssh), ...defined(host.ssh ?? {}) };
  return {
    name: host.name,
    address: host.address ?? host.name,
    ...defined({ privateAddress: host.privateAddress, hostname: host.hostname }),
    roles: [...new Set(roles)],
    attributes: host.attributes ?? {},
    resources: host.resources ?? {},
    masterFlags: host.masterFlags ?? {},
    agentFlags: host.agentFlags ?? {},
    connection,
  };
}

function mesosOf(mesos: NonNullable<Spec['mesos']>): MesosSource {
  switch (mesos.source) {
    case 'clusterd':
    case 'mesosphere':
      return {
        kind: mesos.source,
        ...defined({ version: mesos.version }),
        repository: repositoryOf(mesos.repository, mesos.source === 'clusterd' ? CLUSTERD : MESOSPHERE),
      };
    case 'package':
      return { kind: 'package', from: locationOf(mesos.from), sha256: mesos.sha256 };
    case 'preinstalled':
      return { kind: 'preinstalled' };
  }
}

function dockerOf(docker: NonNullable<Spec['docker']>): DockerSource {
  switch (docker.source) {
    case 'docker-ce':
      return {
        kind: 'docker-ce',
        ...defined({ version: docker.version }),
        repository: repositoryOf(docker.repository, DOCKER_CE),
      };
    case 'distribution':
      return { kind: 'distribution', ...defined({ version: docker.version }) };
    case 'preinstalled':
      return { kind: 'preinstalled' };
  }
}

/** The default fingerprint does not apply to another key. */
function repositoryOf(own: SpecRepository | undefined, usual: AptRepository): AptRepository {
  const fingerprint = own?.fingerprint ?? (own?.key === undefined ? usual.fingerprint : undefined);
  return {
    debian: own?.debian ?? usual.debian,
    ubuntu: own?.ubuntu ?? usual.ubuntu,
    key: own?.key === undefined ? usual.key : locationOf(own.key),
    ...defined({ fingerprint }),
  };
}

function locationOf(text: string): { readonly url: string } | { readonly file: string } {
  return /^https?:\/\//i.test(text) ? { url: text } : { file: text };
}

/** Removes keys without a value: an optional key must be absent. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/**
 * Returns the blocks of the hosts in the form of a spec, each with what was found on its host.
 * @param overrides see `overridesOf`
 */
export function hostBlocks<T>(overrides: Readonly<Record<string, unknown>>, found: ReadonlyMap<string, T>) {
  const { ssh, hosts } = overrides as Pick<SpecInput, 'ssh' | 'hosts'>;
  return {
    ssh,
    hosts: hosts.flatMap((written) => {
      const block = typeof written === 'string' ? blockOf(written) : written;
      const one = found.get(block.name);
      return one === undefined ? [] : [{ block, found: one }];
    }),
  };
}

function blockOf(typed: string): Exclude<SpecInput['hosts'][number], string> {
  const { name, ssh } = asBlock(typed);
  const texts = Object.entries(ssh ?? {}).map(([key, value]) => [key, String(value)]);
  return { name, ...(texts.length > 0 && { ssh: Object.fromEntries(texts) }) };
}
