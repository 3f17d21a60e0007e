/** The load balancer: haproxy, and the program that configures it from the scheduler. */

import type { Cluster } from '../../cluster/cluster.ts';
import { lbOptions, lbPorts } from '../../cluster/lb-flags.ts';
import { secretMark } from '../../cluster/secrets.ts';
import { installedPackage } from '../package-state.ts';
import { resourceId } from '../resources/registry.ts';
import type { ServiceCheck, ServiceResource } from '../resources/service.ts';
import { PAYLOADS, STATE } from '../script/places.ts';
import { ZOOKEEPER_PEER_PORTS } from '../topology.ts';
import { CURRENT, payloadResource } from './base.ts';
import { directory, file, secretFile, service, unitPath } from './build.ts';
import { type Brought, type Context, has, type Part } from './context.ts';
import { LB_USER, usesOwnCredentials } from './lb-user.ts';
import { RUNTIME_FLAGS } from './scheduler.ts';
import { schedulersFile, schedulerUrls } from './scheduler-urls.ts';
import { programTlsFlags, tlsFilesOf } from './tls.ts';

export const LB_SERVICE = 'mesosup-lb';
export const LB_STATE = `${STATE}/lb`;
export const HAPROXY_PACKAGE = 'haproxy';

export const LB_BROUGHT: readonly Brought[] = [
  { packages: [HAPROXY_PACKAGE], service: 'haproxy', data: ['/var/lib/haproxy'] },
];

const ETC = '/etc/mesosup/lb';
/** Ports that agents offer, unless their resources say otherwise. */
const AGENT_PORTS = '31000-32000';
/** Lines of the unit that decide which files the process can access. */
const SANDBOX = [`User=${LB_USER}`, 'ProtectHome=yes', 'PrivateTmp=yes'];

export function lb(context: Context): Part {
  const { cluster, own, payload, render } = context;
  if (!has(context, 'lb')) return wasInstalled(own) ? { services: [PACKAGED_SERVICE] } : {};
  const upstart = own.init === 'upstart';
  const program = (root: string) => [`${root}/bin/node`, ...RUNTIME_FLAGS, `${root}/lib/lb.js`];
  const flags = lbArguments(context);
  const { dns } = lbOptions(cluster.lbFlags);
  const listens = [...Object.values(lbPorts(cluster.lbFlags)), ...(dns ? [dns.port] : [])];
  const unit = file(
    unitPath(context, LB_SERVICE),
    render(`${upstart ? 'upstart' : 'systemd'}/${LB_SERVICE}.${upstart ? 'conf' : 'service'}`, {
      cluster: cluster.name,
      service: LB_SERVICE,
      user: LB_USER,
      stateDirectory: LB_STATE,
      privilegedPort: listens.some((port) => port < 1024),
      command: [...program(CURRENT), ...flags],
    }),
  );
  const name = { kind: 'package' as const, name: HAPROXY_PACKAGE };
  const inputs = [
    ...(usesOwnCredentials(cluster)
      ? [
          secretFile(
            `${ETC}/credentials`,
            `${LB_USER}:${secretMark('lb')}`,
            "credentials of a viewer for the scheduler's API",
            LB_USER,
          ),
        ]
      : []),
    unit,
  ];
  const check: ServiceCheck = {
    command: [...program(`${PAYLOADS}/${payload.version}`), ...flags, '--check'],
    properties: SANDBOX,
    before: [resourceId(unit), `link:${CURRENT}`],
  };
  return {
    packages: [name],
    configuration: [
      { kind: 'user', name: LB_USER, home: LB_STATE, groups: [] },
      directory(ETC, { owner: LB_USER, mode: '0700' }),
      directory(LB_STATE, { owner: LB_USER, mode: '0700' }),
      schedulersFile(context),
      // Read again when they change.
      ...tlsFilesOf(context, 'lb', LB_USER),
      ...inputs,
    ],
    services: [
      ...packagedService(own),
      service(context, LB_SERVICE, [payloadResource(payload), ...inputs], {
        // Hosts with Upstart can't run the program.
        ...(!upstart && { check }),
      }),
    ],
  };
}

/** Without its configuration by mesosup, haproxy must not run. */
const PACKAGED_SERVICE: ServiceResource = {
  kind: 'service',
  name: 'haproxy',
  enabled: false,
  running: false,
  inputs: '',
  restartOn: [],
};

/** A haproxy that was there before mesosup stays as it is. */
function packagedService(own: Context['own']): ServiceResource[] {
  const isTheirs = installedPackage(own, HAPROXY_PACKAGE) !== undefined && !wasInstalled(own);
  return isTheirs ? [] : [PACKAGED_SERVICE];
}

/** True if mesosup has installed the package. It stays when the role is taken away. */
function wasInstalled({ mesosup }: Context['own']): boolean {
  return mesosup.journal.some(
    (entry) => entry.kind === 'package' && entry.name === HAPROXY_PACKAGE && entry.before === 'absent',
  );
}

/** Returns mesosup's flags, and those of the spec. */
function lbArguments(context: Context): string[] {
  const { cluster } = context;
  const { 'reserved-ports': reserved, ...flags } = cluster.lbFlags ?? {};
  const ours = {
    url: schedulerUrls(context).join(','),
    ...(usesOwnCredentials(cluster) && { 'credentials-file': `${ETC}/credentials` }),
    ...programTlsFlags(context, 'lb'),
    'data-dir': LB_STATE,
    'reserved-ports': [...reservedPorts(cluster), ...(reserved === undefined ? [] : [reserved])].join(','),
  };
  return Object.entries({ ...ours, ...flags }).map(([name, value]) =>
    value === '' ? `--${name}` : `--${name}=${value}`,
  );
}

/** The ports of the cluster, and those that its agents offer. */
function reservedPorts({ agentFlags, hosts, ports }: Cluster): (number | string)[] {
  const { master, agent, scheduler, zookeeper } = ports;
  const own = [zookeeper, ...ZOOKEEPER_PEER_PORTS, master, agent, scheduler].toSorted((a, b) => a - b);
  const offered = hosts
    .filter(({ roles }) => roles.includes('agent'))
    .flatMap((host) => {
      const flags = { ...agentFlags, ...host.agentFlags };
      const text = host.resources.ports ?? /ports:\[([^\]]*)\]/.exec(flags.resources ?? '')?.[1];
      return text === undefined ? [AGENT_PORTS] : (text.match(/\d+-\d+/g) ?? []);
    });
  return [...new Set([...own, ...offered.toSorted()])];
}
