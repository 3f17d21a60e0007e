/** The flags of the program `master`: those of mesos-master 1.11, by its names and with its defaults. */

import { type FlagSpecs, inertFlags } from './wire/flags.ts';

const TIMES = '[0-9]+ and one of ns, us, ms, secs, mins, hrs, days, weeks';

export const MASTER_FLAGS: FlagSpecs = {
  ip: { kind: 'text', default: '127.0.0.1', help: 'address to listen on; 0.0.0.0 for all of the machine' },
  port: { kind: 'integer', default: '5050', help: 'port to listen on, 0 for any free one' },
  advertise_ip: { kind: 'text', help: 'address at which others are told to reach this master' },
  advertise_port: { kind: 'integer', help: 'port at which others are told to reach this master' },
  hostname: { kind: 'text', help: 'name by which others are told to reach this master' },
  zk: {
    kind: 'secret',
    help: 'zk://[user:password@]host:port,…/path, or file:///… with that in it: masters elect a leader there',
  },
  zk_session_timeout: {
    kind: 'duration',
    default: '10secs',
    help: `of the session with ZooKeeper: ${TIMES}`,
  },
  quorum: {
    kind: 'integer',
    help: 'how many masters make a majority; obligatory with --zk; the registry is in ZooKeeper here',
  },
  work_dir: { kind: 'path', help: 'holds replicated_log, with the registry of a master without --zk' },
  registry: {
    kind: 'text',
    default: 'replicated_log',
    help: 'what outlives a master: replicated_log keeps it in ZooKeeper or in work_dir, in_memory nowhere',
  },
  cluster: { kind: 'text', help: 'name shown in /state' },
  authenticate_agents: {
    kind: 'switch',
    default: 'false',
    alias: 'authenticate_slaves',
    help: 'agents must authenticate',
  },
  authenticate_http_frameworks: { kind: 'switch', default: 'false', help: 'schedulers must authenticate' },
  http_framework_authenticators: { kind: 'text', help: 'basic; obligatory with the flag before' },
  authenticate_http_readonly: { kind: 'switch', default: 'false', help: 'guards /state and the like' },
  authenticate_http_readwrite: {
    kind: 'switch',
    default: 'false',
    alias: 'authenticate_http',
    help: 'guards /teardown and /api/v1',
  },
  http_authenticators: { kind: 'text', default: 'basic', help: 'basic' },
  credentials: { kind: 'path', help: 'a JSON file, {"credentials":[{"principal":…,"secret":…}]}' },
  agent_ping_timeout: {
    kind: 'duration',
    default: '15secs',
    alias: 'slave_ping_timeout',
    help: 'how long an agent may take to answer a ping',
  },
  max_agent_ping_timeouts: {
    kind: 'integer',
    default: '5',
    alias: 'max_slave_ping_timeouts',
    help: 'pings missed until an agent is unreachable',
  },
  agent_reregister_timeout: {
    kind: 'duration',
    default: '10mins',
    alias: 'slave_reregister_timeout',
    help: 'how long agents may take to come back after an election',
  },
  allocation_interval: {
    kind: 'duration',
    default: '1secs',
    help: 'time between allocations nothing else asks for',
  },
  offer_timeout: { kind: 'duration', help: 'after which an offer is taken back; never by default' },
  log_dir: { kind: 'path', help: 'directory where the log is written too, as mesos-master.INFO' },
  quiet: { kind: 'switch', default: 'false', help: 'no log on standard error' },
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
