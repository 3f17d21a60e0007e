/** The flags of the program `agent`: those of mesos-agent 1.11, by its names and with its defaults. */

import { type FlagSpecs, inertFlags } from './wire/flags.ts';

export const AGENT_FLAGS: FlagSpecs = {
  master: {
    kind: 'secret',
    help: 'host:port, zk://[user:password@]host:port,…/path, or file:///… with either in it',
  },
  zk_session_timeout: { kind: 'duration', default: '10secs', help: 'of the session with ZooKeeper' },
  ip: { kind: 'text', default: '127.0.0.1', help: 'address to listen on; 0.0.0.0 for all of the machine' },
  port: { kind: 'integer', default: '5051', help: 'port to listen on, 0 for any free one' },
  advertise_ip: { kind: 'text', help: 'address at which others are told to reach this agent' },
  advertise_port: { kind: 'integer', help: 'port at which others are told to reach this agent' },
  hostname: { kind: 'text', help: 'where tasks of this agent are reached' },
  work_dir: { kind: 'path', help: 'directory for sandboxes and checkpoints' },
  resources: {
    kind: 'text',
    help: 'cpus:4;mem:4096;disk:10000;ports:[31000-31099]; what is not named is measured',
  },
  attributes: { kind: 'text', help: 'rack:a;zone:b' },
  executor_registration_timeout: { kind: 'duration', default: '1mins', help: 'for the first subscription' },
  executor_reregistration_timeout: {
    kind: 'duration',
    default: '2secs',
    help: 'for executors to come back after a restart of the agent, at most 15secs',
  },
  executor_shutdown_grace_period: { kind: 'duration', default: '5secs', help: 'from shutdown to kill' },
  recovery_timeout: { kind: 'duration', default: '15mins', help: 'how long executors wait for the agent' },
  recover: {
    kind: 'text',
    default: 'reconnect',
    help: 'reconnect with the executors of an earlier run, or cleanup: kill them and exit',
  },
  reconfiguration_policy: {
    kind: 'text',
    default: 'equal',
    help: 'which changes keep the agent: equal permits none, additive more resources and attributes',
  },
  http_command_executor: {
    kind: 'switch',
    default: 'false',
    help: 'command tasks are run by an executor that hears the kill policy of a KILL',
  },
  systemd_enable_support: {
    kind: 'switch',
    default: 'true',
    help: "under systemd, start only where systemd's own cgroup v1 hierarchy is mounted",
  },
  systemd_runtime_directory: {
    kind: 'path',
    default: '/run/systemd/system',
    help: "systemd's directory for units that last until the next boot",
  },
  cgroups_hierarchy: { kind: 'path', default: '/sys/fs/cgroup', help: 'where cgroups are mounted' },
  executor_environment_variables: {
    kind: 'text',
    help: 'JSON object of what executors get in their environment',
  },
  credential: {
    kind: 'path',
    help: 'a JSON file, {"principal":…,"secret":…}: what the agent shows the master',
  },
  authenticate_http_readonly: {
    kind: 'switch',
    default: 'false',
    help: 'guards /state, /files and the like',
  },
  authenticate_http_readwrite: { kind: 'switch', default: 'false', help: 'guards /api/v1' },
  authenticate_http_executors: {
    kind: 'switch',
    default: 'false',
    help: 'executors must show the token the agent gave them',
  },
  http_authenticators: {
    kind: 'text',
    help: 'basic, jwt or both; by default basic, with the flag before basic,jwt',
  },
  http_credentials: { kind: 'path', help: 'a JSON file, {"credentials":[{"principal":…,"secret":…}]}' },
  jwt_secret_key: {
    kind: 'path',
    alias: 'executor_secret_key',
    help: "a file whose bytes are the key of the executors' tokens",
  },
  log_dir: { kind: 'path', help: 'directory where the log is written too, as mesos-agent.INFO' },
  quiet: { kind: 'switch', default: 'false', help: 'no log on standard error' },
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
  ...inertFlags('number', 'gc_disk_headroom'),
  ...inertFlags(
    'duration',
    `http_heartbeat_interval registration_backoff_factor authentication_backoff_factor
     authentication_timeout_min authentication_timeout_max executor_reregistration_retry_interval gc_delay
     disk_watch_interval cgroups_destroy_timeout perf_interval perf_duration docker_remove_delay
     docker_stop_timeout fetcher_stall_timeout container_ports_watch_interval container_disk_watch_interval
     qos_correction_interval_min oversubscribed_resources_interval`,
  ),
  ...inertFlags(
    'text',
    `containerizers launcher launcher_dir isolation runtime_dir cgroups_root
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
