/** The exporter, which serves the metrics of the host's master and agent for Prometheus. */

import { usedCredential } from '../../cluster/rotation.ts';
import { isMonitored } from '../../cluster/topology.ts';
import { STATE } from '../script/places.ts';
import { CURRENT, payloadResource } from './base.ts';
import { directory, file, secretFile, service, unitPath } from './build.ts';
import { type Context, has, type Part } from './context.ts';
import { MONITORING_USER } from './monitoring-user.ts';
import { RUNTIME_FLAGS } from './scheduler.ts';
import { clientsUseTls, programTlsFlags, tlsFilesOf } from './tls.ts';

export const MONITORING_SERVICE = 'mesosup-monitoring';

const ETC = '/etc/mesosup/monitoring';
const CREDENTIALS = `${ETC}/credentials`;

export function monitoring(context: Context): Part {
  const { cluster, host, own, payload, render, secrets } = context;
  if (!isMonitored(cluster, host)) return {};
  const upstart = own.init === 'upstart';
  const command = [
    `${CURRENT}/bin/node`,
    ...RUNTIME_FLAGS,
    `${CURRENT}/lib/monitoring.js`,
    ...flags(context),
  ];
  const used = usedCredential(MONITORING_USER, 'monitoring', secrets);
  const inputs = [
    secretFile(
      CREDENTIALS,
      `${used.principal}:${used.secret}`,
      'credentials that may only read metrics',
      MONITORING_USER,
    ),
    file(
      unitPath(context, MONITORING_SERVICE),
      render(`${upstart ? 'upstart' : 'systemd'}/${MONITORING_SERVICE}.${upstart ? 'conf' : 'service'}`, {
        cluster: cluster.name,
        user: MONITORING_USER,
        privilegedPort: (cluster.monitoring?.port ?? 0) < 1024,
        command,
      }),
    ),
  ];
  return {
    configuration: [
      { kind: 'user', name: MONITORING_USER, home: STATE, groups: [] },
      directory(ETC, { owner: MONITORING_USER, mode: '0700' }),
      // Read again when they change.
      ...tlsFilesOf(context, 'monitoring', MONITORING_USER),
      ...inputs,
    ],
    services: [service(context, MONITORING_SERVICE, [payloadResource(payload), ...inputs])],
  };
}

/** Mesos listens on the host's address within the cluster. */
function flags(context: Context): string[] {
  const { cluster, address } = context;
  const { listen, port } = cluster.monitoring ?? { listen: 'loopback', port: 0 };
  const scheme = clientsUseTls(context) ? 'https' : 'http';
  return [
    ...(has(context, 'master') ? [`--master=${scheme}://${address}:${cluster.ports.master}`] : []),
    ...(has(context, 'agent') ? [`--agent=${scheme}://${address}:${cluster.ports.agent}`] : []),
    ...Object.entries(programTlsFlags(context, 'monitoring')).map(([name, value]) => `--${name}=${value}`),
    `--credentials-file=${CREDENTIALS}`,
    `--listen=${listen === 'cluster' ? address : '127.0.0.1'}:${port}`,
  ];
}
