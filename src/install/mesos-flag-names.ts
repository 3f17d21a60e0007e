/**
 * The names of Mesos' flags. Source: the flags.cpp files of master, agent and logging in ClusterD 1.11 (after 0.9.0),
 * and for flags newer than 1.5 the release notes of Mesos 1.6 to 1.11.
 */

import { suggest } from '../text/suggest.ts';
import { compareNumbers } from './versions.ts';

function namesOf(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Flags of both masters and agents. `logger` is a flag of the packages' wrapper. */
const COMMON = namesOf(`
  acls advertise_ip advertise_port authenticate_http_readonly authenticate_http_readwrite cleanup_log_files
  domain external_log_file firewall_rules hooks hostname hostname_lookup http_authenticators
  http_cors_allowed_origins initialize_driver_logging ip ip_discovery_command log_dir logbufsecs logger
  logging_level master_detector memory_profiling modules modules_dir port quiet version work_dir
  zk_session_timeout
`);

const MASTER = namesOf(`
  agent_ping_timeout agent_removal_rate_limit agent_reregister_timeout allocation_interval allocator
  allocator_agent_recovery_factor allocator_recovery_timeout authenticate authenticate_agents
  authenticate_frameworks authenticate_http authenticate_http_frameworks authenticate_slaves
  authentication_v0_timeout authenticators authorizers cluster credentials fair_sharing_excluded_resource_names
  filter_gpu_resources framework_sorter http_framework_authenticators log_auto_initialize master_contender
  max_agent_ping_timeouts max_completed_frameworks max_completed_tasks_per_framework max_executors_per_agent
  max_executors_per_slave max_operator_event_stream_subscribers max_slave_ping_timeouts
  max_unreachable_tasks_per_framework min_allocatable_resources offer_constraints_re2_max_mem
  offer_constraints_re2_max_program_size offer_timeout publish_per_framework_metrics quorum rate_limits
  recovery_agent_removal_limit recovery_slave_removal_limit registry registry_fetch_timeout registry_gc_interval
  registry_max_agent_age registry_max_agent_count registry_store_timeout registry_strict require_agent_domain
  role_sorter roles root_submissions slave_ping_timeout slave_removal_rate_limit slave_reregister_timeout
  user_sorter webui_dir weights whitelist zk
`);

const AGENT = namesOf(`
  agent_features agent_subsystems allowed_capabilities allowed_devices appc_simple_discovery_uri_prefix
  appc_store_dir attributes authenticate_http_executors authenticatee authentication_backoff_factor
  authentication_timeout_max authentication_timeout_min authorizer bounding_capabilities
  cgroups_cpu_enable_pids_and_tids_count cgroups_destroy_timeout cgroups_enable_cfs cgroups_hierarchy
  cgroups_limit_swap cgroups_net_cls_primary_handle cgroups_net_cls_secondary_handles cgroups_root
  check_agent_port_range_only container_disk_watch_interval container_logger container_ports_isolated_range
  container_ports_watch_interval containerizers credential csi_plugin_config_dir default_container_dns
  default_container_info default_container_shm_size default_role disallow_sharing_agent_ipc_namespace
  disallow_sharing_agent_pid_namespace disk_profile_adaptor disk_watch_interval docker docker_config
  docker_ignore_runtime docker_kill_orphans docker_mesos_image docker_registry docker_remove_delay docker_socket
  docker_stop_timeout docker_store_dir docker_volume_checkpoint_dir docker_volume_chown domain_socket_location
  effective_capabilities egress_burst egress_ceil_limit egress_flow_classifier_parent
  egress_rate_limit_per_container egress_rate_per_cpu egress_unique_flow_per_container
  enforce_container_disk_quota enforce_container_ports ephemeral_ports_per_container eth0_name
  executor_environment_variables executor_registration_timeout executor_reregistration_retry_interval
  executor_reregistration_timeout executor_secret_key executor_shutdown_grace_period fetcher_cache_dir
  fetcher_cache_size fetcher_stall_timeout frameworks_home gc_delay gc_disk_headroom
  gc_non_executor_container_sandboxes hadoop_home host_path_volume_force_creation http_command_executor
  http_credentials http_executor_domain_sockets http_heartbeat_interval image_gc_config image_providers
  image_provisioner_backend ingress_burst ingress_ceil_limit ingress_isolate_existing_containers
  ingress_rate_limit_per_container ingress_rate_per_cpu ip6 ip6_discovery_command isolation jwt_secret_key
  launcher launcher_dir lo_name master max_completed_executors_per_framework maximum_egress_rate_limit
  maximum_ingress_rate_limit minimum_egress_rate_limit minimum_ingress_rate_limit network_cni_config_dir
  network_cni_metrics network_cni_plugins_dir network_cni_root_dir_persist network_enable_rate_statistics
  network_enable_snmp_statistics network_enable_socket_statistics_details
  network_enable_socket_statistics_summary network_link_speed network_rate_statistics_interval
  network_rate_statistics_window nvidia_gpu_devices oversubscribed_resources_interval perf_duration perf_events
  perf_interval qos_controller qos_correction_interval_min reconfiguration_policy recover recovery_timeout
  registration_backoff_factor resource_estimator resource_provider_config_dir resources
  revocable_cpu_low_priority runtime_dir sandbox_directory seccomp_config_dir seccomp_profile_name
  secret_resolver slave_subsystems strict switch_user systemd_enable_support systemd_runtime_directory
  volume_gid_range xfs_kill_containers xfs_project_range xfs_quota_headroom
`);

const NAMES = { master: [...COMMON, ...MASTER], agent: [...COMMON, ...AGENT] } as const;

/** The first release with a flag. */
const SINCE: ReadonlyMap<string, string> = new Map([
  ['allowed_devices', '1.7'],
  ['container_ports_isolated_range', '1.8'],
  ['csi_plugin_config_dir', '1.11'],
  ['docker_ignore_runtime', '1.9'],
  ['enforce_container_ports', '1.7'],
  ['fetcher_stall_timeout', '1.6'],
  ['gc_non_executor_container_sandboxes', '1.7'],
  ['host_path_volume_force_creation', '1.8'],
  ['offer_constraints_re2_max_mem', '1.11'],
  ['offer_constraints_re2_max_program_size', '1.11'],
  ['xfs_kill_containers', '1.6'],
]);

/**
 * Returns the reason why a version of Mesos probably lacks a flag, or undefined.
 * @param name in the form of a spec: `no-x` turns x off
 * @param version undefined when it isn't known
 */
export function explainMissingFlag(
  of: 'master' | 'agent',
  name: string,
  version: string | undefined,
): string | undefined {
  const plain = name.replace(/^no-/, '');
  if (!NAMES[of].includes(plain)) {
    const near = suggest(plain, NAMES[of]);
    const hint = near === undefined ? '' : `; did you mean "${name.slice(0, -plain.length)}${near}"?`;
    return `the Mesos ${of} has no such flag${hint}`;
  }
  const since = SINCE.get(plain);
  if (since === undefined || version === undefined || compareNumbers(version, since) >= 0) return undefined;
  return `the Mesos ${of} has this flag since ${since}, and this is ${version}`;
}
