/** What Prometheus scrapes of a cluster that mesosup installs. */

import type { LoadedCluster } from '../cluster/edge/load.ts';
import { lbOptions } from '../cluster/lb-flags.ts';
import { hostsWith, isMonitored } from '../cluster/topology.ts';
import { reachableAddress } from '../cluster/urls.ts';
import { MONITORING_USER } from '../install/wanted/monitoring-user.ts';
import type { Monitored, SchedulerAccess, Target } from '../monitoring/scrape-config.ts';

/** Beside the configuration. */
export const PASSWORD_FILE = 'scheduler-password';
export const CA_FILE = 'cluster-ca.pem';

export interface MonitoredCluster
  extends Pick<Monitored, 'cluster' | 'exporters' | 'schedulers' | 'lbs' | 'haproxies'> {
  readonly needsAccess: boolean;
  /** The user of the installer for Prometheus, whose password is to be written to a file. */
  readonly access?: SchedulerAccess;
  readonly password?: string;
  /** Certificates of the cluster's authorities, in PEM; missing without TLS. */
  readonly trusted?: string;
  /** What Prometheus can't reach. */
  readonly notes: readonly string[];
}

export async function monitoredCluster({ cluster, state }: LoadedCluster): Promise<MonitoredCluster> {
  const { monitoring, ports, schedulerFlags } = cluster;
  const [urls, secrets] = await Promise.all([state.urls(), state.secrets()]);
  const targetsOf = (hosts: typeof cluster.hosts, port: number): Target[] =>
    hosts.map((host) => {
      const address = reachableAddress(host, urls);
      return { address: `${address.includes(':') ? `[${address}]` : address}:${port}`, host: host.name };
    });
  const lb = lbOptions(cluster.lbFlags);
  const balancers = hostsWith(cluster, 'lb');
  const monitored = cluster.hosts.filter((host) => isMonitored(cluster, host));
  const needsAccess =
    hostsWith(cluster, 'scheduler').length > 0 && schedulerFlags.http_credentials_file !== '';
  const isRemote = cluster.hosts.some(({ connection }) => connection.kind !== 'local');
  const notes = [
    ...(monitoring ? [] : ['The cluster file has no key "monitoring": masters and agents are left out.']),
    ...(isRemote && monitoring?.listen === 'loopback'
      ? [
          'The exporters listen on loopback only: for a Prometheus elsewhere, set monitoring.listen to cluster.',
        ]
      : []),
    ...(isRemote && balancers.length > 0 && [lb.metrics.host, lb.stats.split(':')[0]].includes('127.0.0.1')
      ? [
          'The load balancers listen on loopback only: for a Prometheus elsewhere, set metrics and stats in lbFlags.',
        ]
      : []),
  ];
  return {
    cluster: cluster.name,
    exporters: targetsOf(monitored, monitoring?.port ?? 0),
    schedulers: targetsOf(hostsWith(cluster, 'scheduler'), ports.scheduler),
    lbs: targetsOf(balancers, lb.metrics.port),
    haproxies: targetsOf(balancers, Number(/\d+$/.exec(lb.stats)?.[0])),
    needsAccess,
    ...(secrets?.tls && secrets.tls.state !== 'offer' && { trusted: secrets.tls.trusted }),
    ...(needsAccess &&
      monitoring &&
      secrets && {
        access: { kind: 'password', user: MONITORING_USER, file: PASSWORD_FILE },
        password: secrets.metrics,
      }),
    notes,
  };
}
