/** The scheduler. */

import { isOwnFlag, type OwnFlag } from '../../cluster/scheduler-flags.ts';
import { secretMark } from '../../cluster/secrets.ts';
import { resourceId } from '../resources/registry.ts';
import type { ServiceCheck, ServiceResource } from '../resources/service.ts';
import { PAYLOADS, STATE } from '../script/places.ts';
import { CURRENT, payloadResource } from './base.ts';
import { directory, file, secretFile, service, unitPath } from './build.ts';
import { type Context, has, type Part } from './context.ts';

export const SCHEDULER_SERVICE = 'mesosup-scheduler';
export const SCHEDULER_USER = 'mesosup';
export const SCHEDULER_STATE = `${STATE}/scheduler`;

const ETC = '/etc/mesosup/scheduler';

/**
 * For the runtime: less room for young objects than the usual 16 MiB, which costs no speed that could be measured and
 * keeps the process a fifth smaller (`npm run bench:scheduler`).
 */
export const RUNTIME_FLAGS = ['--max-semi-space-size=8'];

/** Lines of the unit that decide which files the process sees. */
const SANDBOX = [`User=${SCHEDULER_USER}`, 'ProtectHome=yes', 'PrivateTmp=yes'];

export function scheduler(context: Context): Part {
  if (!has(context, 'scheduler')) return {};
  const { cluster, own, payload, render, topology } = context;
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
  const inputs = [
    owned('master', topology.mesosForReaders, 'where the Mesos master is found'),
    ...(topology.scheduler === undefined
      ? []
      : [owned('zk', topology.scheduler, "where the scheduler's state is")]),
    owned('secret', secretMark('scheduler'), 'what the framework proves itself with'),
    owned('api', `mesosup:${secretMark('api')}`, 'who may use the API'),
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
      ...inputs,
    ],
    services: [
      service(context, SCHEDULER_SERVICE, [payloadResource(payload), ...inputs], {
        after: 'master-elected',
        // No host with Upstart can run the scheduler.
        ...(!upstart && { check }),
      }) satisfies ServiceResource,
    ],
  };
}

/**
 * Ours, and over them the spec's. A flag of ours with an empty value in the spec is left out; any other with an empty
 * value is a switch.
 */
function schedulerArguments({ cluster, host, address, topology }: Context): string[] {
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
  };
  return Object.entries({ ...ours, ...cluster.schedulerFlags }).flatMap(([name, value]) => {
    if (value !== '') return [`--${name}=${value}`];
    return isOwnFlag(name) ? [] : [`--${name}`];
  });
}
