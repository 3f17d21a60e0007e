/**
 * Hosts whose files are compared with golden texts and checked by the init system's own checker: one for each layout.
 */

import type { Cluster } from '../../src/cluster/cluster.ts';
import { TLS_STATES, type TlsState } from '../../src/cluster/secrets.ts';
import type { Facts } from '../../src/install/facts.ts';
import type { FileResource } from '../../src/install/resources/file.ts';
import type { Resource } from '../../src/install/resources/registry.ts';
import { wantedResources } from '../../src/install/wanted/wanted.ts';
import { bareHosts, clusterOf, directoryFacts, hostOf, planInput, REPOSITORY } from './hosts.ts';

const TRUSTY: Partial<Facts> = {
  init: 'upstart',
  system: { id: 'ubuntu', version: '14.04', codename: 'trusty', name: 'Ubuntu 14.04.6 LTS' },
  glibc: '2.19',
  cgroups: 'v1',
};
const BINARIES = {
  '/usr/local/sbin/mesos-master': { ...directoryFacts(), type: 'file' as const },
  '/usr/local/sbin/mesos-agent': { ...directoryFacts(), type: 'file' as const },
};

const three = ['h1', 'h2', 'h3'];

/** The tests use the first host of each cluster. */
export const scenarios: Readonly<
  Record<string, { readonly cluster: Cluster; readonly facts?: Partial<Facts>; readonly tls?: TlsState }>
> = {
  'clusterd-of-three': {
    cluster: clusterOf(
      three.map((name) => hostOf(name, { attributes: { rack: 'a' }, resources: { cpus: '4' } })),
      { agentFlags: { executor_shutdown_grace_period: '20secs' } },
    ),
  },
  'clusterd-monitored': {
    cluster: clusterOf(
      [hostOf('h1', { roles: ['master', 'agent'] }), hostOf('h2', { roles: ['scheduler'] })],
      { monitoring: { listen: 'cluster', port: 9103 } },
    ),
  },
  'clusterd-alone': {
    cluster: clusterOf(
      [hostOf('h1', { roles: ['master', 'scheduler', 'agent'], hostname: 'mesos.example.org' })],
      {
        docker: { kind: 'docker-ce', version: '5:27', repository: REPOSITORY },
        schedulerFlags: {
          endpoints_port_suffix: '',
          http_credentials_file: '',
          framework_name: 'a "b" %c $d',
        },
        ports: { master: 5050, agent: 5051, scheduler: 80, zookeeper: 2181 },
      },
    ),
  },
  'clusterd-with-lb': {
    cluster: clusterOf(
      [hostOf('h1', { roles: ['lb'] }), hostOf('h2', { roles: ['master', 'scheduler', 'agent'] })],
      { lbFlags: { group: 'external', 'certificate-dir': '/etc/mesosup/certificates', 'share-hosts': '' } },
    ),
  },
  'lb-with-upstart': {
    cluster: clusterOf(
      [hostOf('h1', { roles: ['lb'] }), hostOf('h2', { roles: ['master', 'scheduler', 'agent'] })],
      { mesos: { kind: 'mesosphere', repository: REPOSITORY } },
    ),
    facts: TRUSTY,
  },
  'mesosphere-with-upstart': {
    cluster: clusterOf(
      three.map((name) => hostOf(name)),
      {
        mesos: { kind: 'mesosphere', repository: REPOSITORY },
        monitoring: { listen: 'loopback', port: 9103 },
      },
    ),
    facts: TRUSTY,
  },
  ...Object.fromEntries(
    TLS_STATES.map((tls) => [
      `clusterd-tls-${tls}`,
      {
        cluster: clusterOf(
          [
            hostOf('h1', { roles: ['master', 'scheduler', 'agent', 'lb'] }),
            hostOf('h2', { roles: ['agent'] }),
          ],
          { monitoring: { listen: 'cluster', port: 9103 } },
        ),
        tls,
      },
    ]),
  ),
  'preinstalled-without-units': {
    cluster: clusterOf(
      three.map((name) => hostOf(name, { attributes: { rack: 'a', note: 'it\'s "$5"' } })),
      { mesos: { kind: 'preinstalled' }, masterFlags: { 'no-authenticate_agents': '' } },
    ),
    facts: { files: BINARIES },
  },
  'preinstalled-without-jobs': {
    cluster: clusterOf(
      three.map((name) => hostOf(name)),
      { mesos: { kind: 'preinstalled' } },
    ),
    facts: { ...TRUSTY, files: BINARIES },
  },
};

export function wantedOf(name: string): Resource[] {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new TypeError(`there is no scenario ${name}`);
  const { cluster, facts, tls } = scenario;
  const [host] = cluster.hosts;
  if (host === undefined) throw new TypeError(`scenario ${name} has no host`);
  const input = planInput(cluster, bareHosts(cluster, facts));
  const own = tls ? { ...input.secrets, tls: { state: tls, trusted: '', leaves: {} } } : input.secrets;
  return wantedResources({ ...input, host, running: true, secrets: own });
}

export function filesOf(name: string): FileResource[] {
  return wantedOf(name).filter((one): one is FileResource => one.kind === 'file');
}

/** Renders the wanted state of a host as text. */
export function describeWanted(resources: readonly Resource[]): string {
  return resources.map(describeResource).join('\n');
}

function describeResource(resource: Resource): string {
  switch (resource.kind) {
    case 'file': {
      const { path, mode, owner, content } = resource;
      const end = content === '' || content.endsWith('\n') ? '' : '\n(no line end)\n';
      return `== file ${path} ${mode} ${owner}\n${content}${end}`;
    }
    case 'directory': {
      const only = resource.only === undefined ? '' : ` only ${resource.only.join(' ')}`;
      return `== directory ${resource.path} ${resource.mode} ${resource.owner}${only}\n`;
    }
    case 'service': {
      const { inputs: _inputs, restartOn, kind: _kind, name, check, ...rest } = resource;
      const checked = check === undefined ? '' : `  checked by ${check.command.join(' ')}\n`;
      return `== service ${name} ${JSON.stringify(rest)}\n${restartOn.map((id) => `  ${id}\n`).join('')}${checked}`;
    }
    default: {
      const { kind, ...rest } = resource;
      return `== ${kind} ${JSON.stringify(rest)}\n`;
    }
  }
}
