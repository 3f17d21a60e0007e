/** Describes the scheduler's configuration for `/v2/info`, with Marathon's names and without secrets. */

import type { FrameworkInfo } from '../mesos/types.ts';
import { RELEASE } from '../release.ts';
import { showZooKeeperAddress } from '../zookeeper/address.ts';
import type { SetupJson } from './api/v2/scheduler-schemas.ts';
import type { DaemonOptions } from './flags/options.ts';
import { showMasters } from './masters.ts';

export function describeSetup(options: DaemonOptions): SetupJson {
  const { settings, zooKeeper, hostname, httpPort, tls, allowedOrigins } = options;
  const { framework } = settings;
  return {
    name: framework.name,
    // Clients that check Marathon's version accept any version of numbers separated by dots.
    version: RELEASE,
    buildref: RELEASE,
    marathon_config: {
      master: showMasters(options.masters),
      framework_name: framework.name,
      mesos_role: settings.role,
      mesos_user: framework.user,
      failover_timeout: framework.failover_timeout,
      checkpoint: true,
      executor: settings.defaultExecutor,
      hostname,
      ha: zooKeeper !== undefined,
      local_port_min: settings.localPortMin,
      local_port_max: settings.localPortMax,
      decline_offer_duration: settings.declineOfferMs,
      reconciliation_initial_delay: settings.reconciliationInitialDelayMs,
      reconciliation_interval: settings.reconciliationIntervalMs,
      task_launch_timeout: settings.taskLaunchTimeoutMs,
      webui_url: framework.webui_url ?? null,
      features: featuresOf(framework),
      max_instances_per_offer: settings.maxInstancesPerOffer,
      mesos_bridge_name: settings.mesosBridgeName,
      default_network_name: settings.defaultNetworkName ?? null,
      // Apps of every role may be in a group.
      new_group_enforce_role: 'off',
      access_control_allow_origin: allowedOrigins ?? null,
    },
    zookeeper_config: zooKeeper
      ? {
          zk: showZooKeeperAddress(zooKeeper),
          zk_hosts: zooKeeper.servers.map(({ host, port }) => `${host}:${port}`).join(','),
          zk_path: zooKeeper.path,
        }
      : {},
    http_config: { http_port: httpPort ?? null, https_port: tls?.port ?? null },
  };
}

/** @returns what Marathon calls optional features, as far as they are in use here */
function featuresOf({ capabilities = [] }: FrameworkInfo): string[] {
  const has = (type: string) => capabilities.some((one) => one.type === type);
  return [
    // Labels of ports are passed on for service discovery.
    'vips',
    ...(has('TASK_KILLING_STATE') ? ['task_killing'] : []),
    ...(has('GPU_RESOURCES') ? ['gpu_resources'] : []),
  ];
}
