/** The flags of the program `agent`, with the names and defaults of mesos-agent 1.11. */

import { type FlagSpecs, inertFlags } from './wire/flags.ts';

export const AGENT_FLAGS: FlagSpecs = {
  master: {
    kind: 'secret',
    help: 'host:port, zk://[user:password@]host:port,…/path, or file:///… of a file that contains one of them',
  },
  zk_session_timeout: { kind: 'duration', default: '10secs', help: 'timeout of the ZooKeeper session' },
  ip: { kind: 'text', default: '127.0.0.1', help: 'address to listen on; 0.0.0.0 for all addresses' },
  port: { kind: 'integer', default: '5051', help: 'port to listen on; 0 for any free port' },
  advertise_ip: { kind: 'text', help: 'address of this agent that is published' },
  advertise_port: { kind: 'integer', help: 'port of this agent that is published' },
  hostname: { kind: 'text', help: 'host name or address of the tasks of this agent' },
  work_dir: { kind: 'path', help: 'directory for sandboxes and checkpoints' },
  resources: {
    kind: 'text',
    help: 'cpus:4;mem:4096;disk:10000;ports:[31000-31099], or JSON, which can name more disks; missing ones are detected',
  },
  attributes: { kind: 'text', help: 'rack:a;zone:b' },
  executor_registration_timeout: {
    kind: 'duration',
    default: '1mins',
    help: 'time limit for the first subscription of an executor',
  },
  executor_reregistration_timeout: {
    kind: 'duration',
    default: '2secs',
    help: 'time limit for executors to subscribe again after a restart of the agent, at most 15secs',
  },
  executor_shutdown_grace_period: {
    kind: 'duration',
    default: '5secs',
    help: 'time between the shutdown and the kill of an executor',
  },
  recovery_timeout: {
    kind: 'duration',
    default: '15mins',
    help: 'how long executors wait for a disconnected agent',
  },
  gc_delay: {
    kind: 'duration',
    default: '1weeks',
    help: 'time from the end of an executor to the removal of its sandbox, less on a full disk',
  },
  gc_disk_headroom: {
    kind: 'number',
    default: '0.1',
    help: 'gc_delay is multiplied by max(0, 1 - gc_disk_headroom - used share of the disk)',
  },
  disk_watch_interval: {
    kind: 'duration',
    default: '1mins',
    help: 'interval of the removal of sandboxes',
  },
  recover: {
    kind: 'text',
    default: 'reconnect',
    help: 'reconnect: continue with the executors of an earlier run; cleanup: kill them and exit',
  },
  reconfiguration_policy: {
    kind: 'text',
    default: 'equal',
    help: 'permitted changes of the configuration: equal: none; additive: more resources and attributes',
  },
  http_command_executor: {
    kind: 'switch',
    default: 'false',
    help: 'run command tasks by an executor that follows the kill policy of a KILL',
  },
  systemd_enable_support: {
    kind: 'switch',
    default: 'true',
    help: "under systemd, require systemd's cgroup v1 hierarchy",
  },
  systemd_runtime_directory: {
    kind: 'path',
    default: '/run/systemd/system',
    help: "systemd's directory for units that exist until the next boot",
  },
  cgroups_hierarchy: { kind: 'path', default: '/sys/fs/cgroup', help: 'mount point of cgroups' },
  executor_environment_variables: {
    kind: 'text',
    help: 'JSON object with environment variables for executors',
  },
  credential: {
    kind: 'path',
    help: 'JSON file {"principal":…,"secret":…} with which the agent authenticates at the master',
  },
  authenticate_http_readonly: {
    kind: 'switch',
    default: 'false',
    help: 'require authentication for /state, /files and other read-only endpoints',
  },
  authenticate_http_readwrite: {
    kind: 'switch',
    default: 'false',
    help: 'require authentication for /api/v1',
  },
  authenticate_http_executors: {
    kind: 'switch',
    default: 'false',
    help: 'require the token of the agent from executors',
  },
  http_authenticators: {
    kind: 'text',
    help: 'basic, jwt or basic,jwt; default: basic, or basic,jwt with --authenticate_http_executors',
  },
  http_credentials: { kind: 'path', help: 'JSON file {"credentials":[{"principal":…,"secret":…}]}' },
  jwt_secret_key: {
    kind: 'path',
    alias: 'executor_secret_key',
    help: "file with the key for the executors' tokens",
  },
  containerizers: {
    kind: 'text',
    default: 'mesos',
    help: 'only mesos, without images: tasks are processes of the agent',
  },
  log_dir: { kind: 'path', help: 'directory for an additional log file, mesos-agent.INFO' },
  quiet: { kind: 'switch', default: 'false', help: 'do not log to standard error' },
  version: { kind: 'switch', default: 'false', help: 'show the version and exit' },
  ...inertFlags(
    'switch',
    `hostname_lookup switch_user strict docker_volume_chown docker_ignore_runtime docker_kill_orphans
     gc_non_executor_container_sandboxes cgroups_enable_cfs cgroups_limit_swap
     cgroups_cpu_enable_pids_and_tids_count host_path_volume_force_creation revocable_cpu_low_priority
     disallow_sharing_agent_ipc_namespace disallow_sharing_agent_pid_namespace
     check_agent_port_range_only enforce_container_ports network_cni_root_dir_persist network_cni_metrics
     enforce_container_disk_quota http_executor_domain_sockets memory_profiling
     initialize_driver_logging`,
  ),
  ...inertFlags('integer', 'max_completed_executors_per_framework logbufsecs'),
  ...inertFlags(
    'duration',
    `http_heartbeat_interval registration_backoff_factor authentication_backoff_factor
     authentication_timeout_min authentication_timeout_max executor_reregistration_retry_interval
     cgroups_destroy_timeout perf_interval perf_duration docker_remove_delay
     docker_stop_timeout fetcher_stall_timeout container_ports_watch_interval container_disk_watch_interval
     qos_correction_interval_min oversubscribed_resources_interval`,
  ),
  ...inertFlags(
    'text',
    `launcher launcher_dir isolation runtime_dir cgroups_root
     cgroups_net_cls_primary_handle cgroups_net_cls_secondary_handles allowed_devices agent_subsystems
     slave_subsystems resource_provider_config_dir csi_plugin_config_dir
     disk_profile_adaptor image_providers image_provisioner_backend image_gc_config
     appc_simple_discovery_uri_prefix appc_store_dir docker docker_registry docker_store_dir docker_config
     docker_mesos_image docker_socket docker_volume_checkpoint_dir default_role fetcher_cache_size
     fetcher_cache_dir hadoop_home frameworks_home volume_gid_range container_logger nvidia_gpu_devices
     perf_events effective_capabilities allowed_capabilities bounding_capabilities default_container_shm_size
     agent_features firewall_rules acls sandbox_directory domain_socket_location default_container_dns
     default_container_info container_ports_isolated_range network_cni_plugins_dir network_cni_config_dir
     modules modules_dir authenticatee authorizer hooks secret_resolver resource_estimator qos_controller
     master_detector seccomp_config_dir seccomp_profile_name ip_discovery_command ip6 ip6_discovery_command
     domain logging_level external_log_file`,
  ),
};
