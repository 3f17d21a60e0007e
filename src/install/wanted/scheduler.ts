/** The scheduler. */

import { acceptedMarks, usedCredential } from '../../cluster/rotation.ts';
import { isOwnFlag, type OwnFlag } from '../../cluster/scheduler-flags.ts';
import type { SecretName } from '../../cluster/secrets.ts';
import { hostsWith } from '../../cluster/topology.ts';
import { resourceId } from '../resources/registry.ts';
import type { ServiceCheck, ServiceResource } from '../resources/service.ts';
import { PAYLOADS, STATE } from '../script/places.ts';
import { CURRENT, payloadResource } from './base.ts';
import { directory, file, secretFile, service, unitPath } from './build.ts';
import { type Context, has, type Part } from './context.ts';
import { LB_USER, usesOwnCredentials } from './lb-user.ts';
import { FILES_PRINCIPAL } from './mesos-agent.ts';
import { MONITORING_USER } from './monitoring-user.ts';
import { schedulerTlsFlags, tlsFilesOf } from './tls.ts';

export const SCHEDULER_SERVICE = 'mesosup-scheduler';
export const SCHEDULER_USER = 'mesosup';
export const SCHEDULER_STATE = `${STATE}/scheduler`;

const ETC = '/etc/mesosup/scheduler';

/**
 * Less memory for young objects than the default of 16 MiB, and for old ones at most 60 % more than is in use; by
 * default, the heap may grow to four times of that before garbage is collected. The price is a collection of some 10 ms
 * for each 150 long answers. The process becomes a third smaller (`npm run bench:scheduler api`).
 */
export const RUNTIME_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=60'];

/** Lines of the unit that decide which files the process can access. */
const SANDBOX = [`User=${SCHEDULER_USER}`, 'ProtectHome=yes', 'PrivateTmp=yes'];

export function scheduler(context: Context): Part {
  if (!has(context, 'scheduler')) return {};
  const { cluster, own, payload, render, secrets, topology } = context;
  const owned = (name: string, content: string, note: string) =>
    secretFile(`${ETC}/${name}`, content, note, SCHEDULER_USER);
  const upstart = own.init === 'upstart';
  const command = (root: string) => [
    `${root}/bin/node`,
    ...RUNTIME_FLAGS,
    `${root}/lib/scheduler.js`,
    ...schedulerArguments(context),
  ];
  const unit = file(
    unitPath(context, SCHEDULER_SERVICE),
    render(`${upstart ? 'upstart' : 'systemd'}/${SCHEDULER_SERVICE}.${upstart ? 'conf' : 'service'}`, {
      cluster: cluster.name,
      stateDirectory: SCHEDULER_STATE,
      privilegedPort: cluster.ports.scheduler < 1024,
      command: command(CURRENT),
    }),
  );
  const files = usedCredential(FILES_PRINCIPAL, 'files', secrets);
  const inputs = [
    owned('master', topology.mesosForReaders, 'address of the Mesos master'),
    ...(topology.scheduler === undefined
      ? []
      : [owned('zk', topology.scheduler, "address of the scheduler's state")]),
    owned('secret', acceptedMarks('scheduler', secrets).join('\n'), 'secret of the framework'),
    owned('agents', `${files.principal}:${files.secret}`, 'credentials for the files of agents'),
    owned('api', apiUsers(context), 'credentials of the API'),
    unit,
  ];
  const check: ServiceCheck = {
    command: [...command(`${PAYLOADS}/${payload.version}`), '--check'],
    properties: SANDBOX,
    before: [resourceId(unit), `link:${CURRENT}`],
  };
  return {
    configuration: [
      { kind: 'user', name: SCHEDULER_USER, home: STATE, groups: [] },
      directory(ETC, { owner: SCHEDULER_USER, mode: '0700' }),
      directory(SCHEDULER_STATE, { owner: SCHEDULER_USER, mode: '0700' }),
      // Read again when they change, so that the service need not restart.
      ...tlsFilesOf(context, 'scheduler', SCHEDULER_USER),
      ...inputs,
    ],
    services: [
      service(context, SCHEDULER_SERVICE, [payloadResource(payload), ...inputs], {
        after: 'master-elected',
        // Hosts with Upstart can't run the scheduler.
        ...(!upstart && { check }),
        // Only a cluster that got its ZooKeeper later has state in the directory.
        ...(!upstart &&
          topology.scheduler !== undefined &&
          cluster.schedulerFlags.zk === undefined && {
            move: { directory: SCHEDULER_STATE, file: `${ETC}/zk` },
          }),
      }) satisfies ServiceResource,
    ],
  };
}

/** The operator, and viewers for the load balancer and for Prometheus, if there are any. */
function apiUsers({ cluster, secrets }: Context): string {
  const linesOf = (user: string, name: SecretName) =>
    acceptedMarks(name, secrets).map((mark) => `${user}:${mark}`);
  const operator = linesOf('mesosup', 'api').join('\n');
  const balances = hostsWith(cluster, 'lb').length > 0 && usesOwnCredentials(cluster);
  const viewers = [
    ...(balances ? linesOf(LB_USER, 'lb') : []),
    ...(cluster.monitoring ? linesOf(MONITORING_USER, 'metrics') : []),
  ];
  return viewers.length === 0 ? operator : [operator, '[viewer]', ...viewers].join('\n');
}

/**
 * Returns mesosup's flags, overridden by those of the spec. An empty value in the spec omits a flag of mesosup; any
 * other flag with an empty value is a switch.
 */
function schedulerArguments(context: Context): string[] {
  const { cluster, host, address, topology } = context;
  const ours: Partial<Record<OwnFlag, string>> = {
    master: `file://${ETC}/master`,
    ...(topology.scheduler === undefined ? { data_dir: SCHEDULER_STATE } : { zk: `file://${ETC}/zk` }),
    cluster: cluster.name,
    http_address: '0.0.0.0',
    http_port: String(cluster.ports.scheduler),
    http_credentials_file: `${ETC}/api`,
    hostname: host.hostname ?? address,
    mesos_authentication_principal: 'mesosup',
    mesos_authentication_secret_file: `${ETC}/secret`,
    agent_credential_file: `${ETC}/agents`,
  };
  const all = { ...ours, ...schedulerTlsFlags(context), ...cluster.schedulerFlags };
  return Object.entries(all).flatMap(([name, value]) => {
    if (value !== '') return [`--${name}=${value}`];
    return isOwnFlag(name) ? [] : [`--${name}`];
  });
}
