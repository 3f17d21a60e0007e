/** The flags of the program `master`, with the names and defaults of mesos-master 1.11. */

import { type FlagSpecs, inertFlags } from './wire/flags.ts';

const TIMES = '[0-9]+ and one of ns, us, ms, secs, mins, hrs, days, weeks';

export const MASTER_FLAGS: FlagSpecs = {
  ip: { kind: 'text', default: '127.0.0.1', help: 'address to listen on; 0.0.0.0 for all addresses' },
  port: { kind: 'integer', default: '5050', help: 'port to listen on; 0 for any free port' },
  advertise_ip: { kind: 'text', help: 'address of this master that is published' },
  advertise_port: { kind: 'integer', help: 'port of this master that is published' },
  hostname: { kind: 'text', help: 'host name of this master that is published' },
  zk: {
    kind: 'secret',
    help: 'zk://[user:password@]host:port,…/path for the election of a leader, or file:///… of a file that contains it',
  },
  zk_session_timeout: {
    kind: 'duration',
    default: '10secs',
    help: `timeout of the ZooKeeper session: ${TIMES}`,
  },
  quorum: {
    kind: 'integer',
    help: 'number of masters that form a majority; required with --zk',
  },
  work_dir: {
    kind: 'path',
    help: 'directory of replicated_log, which has the registry of a master without --zk',
  },
  registry: {
    kind: 'text',
    default: 'replicated_log',
    help: 'storage of the registry: replicated_log: in ZooKeeper or in work_dir; in_memory: none',
  },
  cluster: { kind: 'text', help: 'name shown in /state' },
  authenticate_agents: {
    kind: 'switch',
    default: 'false',
    alias: 'authenticate_slaves',
    help: 'require authentication from agents',
  },
  authenticate_http_frameworks: {
    kind: 'switch',
    default: 'false',
    help: 'require authentication from schedulers',
  },
  http_framework_authenticators: {
    kind: 'text',
    help: 'basic; required with --authenticate_http_frameworks',
  },
  authenticate_http_readonly: {
    kind: 'switch',
    default: 'false',
    help: 'require authentication for /state and other read-only endpoints',
  },
  authenticate_http_readwrite: {
    kind: 'switch',
    default: 'false',
    alias: 'authenticate_http',
    help: 'require authentication for /teardown and /api/v1',
  },
  http_authenticators: { kind: 'text', default: 'basic', help: 'basic' },
  credentials: { kind: 'path', help: 'JSON file {"credentials":[{"principal":…,"secret":…}]}' },
  agent_ping_timeout: {
    kind: 'duration',
    default: '15secs',
    alias: 'slave_ping_timeout',
    help: 'time limit for the answer of an agent to a ping',
  },
  max_agent_ping_timeouts: {
    kind: 'integer',
    default: '5',
    alias: 'max_slave_ping_timeouts',
    help: 'number of missed pings until an agent is unreachable',
  },
  agent_reregister_timeout: {
    kind: 'duration',
    default: '10mins',
    alias: 'slave_reregister_timeout',
    help: 'time limit for agents to register again after an election',
  },
  allocation_interval: {
    kind: 'duration',
    default: '1secs',
    help: 'interval of periodic allocations',
  },
  offer_timeout: { kind: 'duration', help: 'time until an unanswered offer is rescinded; default: never' },
  log_dir: { kind: 'path', help: 'directory for an additional log file, mesos-master.INFO' },
  quiet: { kind: 'switch', default: 'false', help: 'do not log to standard error' },
  version: { kind: 'switch', default: 'false', help: 'show the version and exit' },
  ...inertFlags(
    'switch',
    `hostname_lookup root_submissions registry_strict log_auto_initialize authenticate_frameworks
     filter_gpu_resources memory_profiling require_agent_domain publish_per_framework_metrics
     initialize_driver_logging`,
  ),
  ...inertFlags(
    'integer',
    `max_completed_frameworks max_completed_tasks_per_framework max_unreachable_tasks_per_framework
     max_operator_event_stream_subscribers max_executors_per_agent max_executors_per_slave
     registry_max_agent_count logbufsecs offer_constraints_re2_max_program_size`,
  ),
  ...inertFlags('number', 'allocator_agent_recovery_factor'),
  ...inertFlags(
    'duration',
    `registry_fetch_timeout registry_store_timeout authentication_v0_timeout allocator_recovery_timeout
     registry_gc_interval registry_max_agent_age`,
  ),
  ...inertFlags(
    'text',
    `recovery_agent_removal_limit recovery_slave_removal_limit agent_removal_rate_limit
     slave_removal_rate_limit webui_dir whitelist role_sorter user_sorter framework_sorter roles weights acls
     firewall_rules rate_limits modules modules_dir authenticators authorizers allocator
     fair_sharing_excluded_resource_names min_allocatable_resources hooks master_contender master_detector
     ip_discovery_command domain offer_constraints_re2_max_mem logging_level external_log_file`,
  ),
};
