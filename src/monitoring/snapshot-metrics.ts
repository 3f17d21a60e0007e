/**
 * The metrics of Mesos' `/metrics/snapshot` that the exporter passes on, with their names for Prometheus: `slave` is
 * `agent`, `/` is `_`, seconds and bytes instead of milliseconds and MB, and `_total` for counters only. A state that is
 * part of Mesos' name becomes a label. Names of Mesos: docs/monitoring.md of Mesos 1.11.
 */

export type MetricType = 'gauge' | 'counter';

export interface SnapshotMetric {
  /** Mesos' name. */
  readonly key: string;
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Factor from Mesos' unit to the one of the name. */
  readonly scale?: number;
}

/** A metric of each framework or role, whose name is part of Mesos' name. */
export interface NamedMetric extends Omit<SnapshotMetric, 'key'> {
  /** Its groups are the values of `groups`, in this order. */
  readonly pattern: RegExp;
  readonly groups: readonly string[];
}

const MEBIBYTE = 2 ** 20;
const MILLISECOND = 0.001;

/** States of tasks. A master has more of them than an agent. */
const LIVE = ['staging', 'starting', 'running', 'killing'];
const MASTER_LIVE = [...LIVE, 'unreachable'];
const MASTER_ENDED = ['finished', 'failed', 'killed', 'lost', 'error', 'dropped', 'gone', 'gone_by_operator'];

const gauge = (key: string, name: string, help: string, scale?: number): SnapshotMetric => ({
  key,
  name: `mesos_${name}`,
  type: 'gauge',
  help,
  ...(scale !== undefined && { scale }),
});
const counter = (key: string, name: string, help: string): SnapshotMetric => ({
  key,
  name: `mesos_${name}_total`,
  type: 'counter',
  help,
});

function byState(states: readonly string[], metric: (state: string) => SnapshotMetric): SnapshotMetric[] {
  return states.map((state) => ({ ...metric(state), labels: { state } }));
}

function tasks(key: string, name: string, live: readonly string[], ended: readonly string[]) {
  return [
    ...byState(live, (state) =>
      gauge(`${key}/tasks_${state}`, `${name}_tasks`, 'Tasks that have not ended, by state'),
    ),
    ...byState(ended, (state) =>
      counter(`${key}/tasks_${state}`, `${name}_tasks_ended`, 'Tasks that have ended, by their last state'),
    ),
  ];
}

function resources(key: string, name: string, whose: string) {
  return (
    [
      ['cpus', 'cpus', 'CPUs', 1],
      ['gpus', 'gpus', 'GPUs', 1],
      ['mem', 'memory', 'Memory', MEBIBYTE],
      ['disk', 'disk', 'Disk space', MEBIBYTE],
    ] as const
  ).flatMap(([resource, word, text, scale]) => {
    const unit = scale === 1 ? '' : '_bytes';
    return [
      gauge(`${key}/${resource}_total`, `${name}_${word}${unit}`, `${text} ${whose}`, scale),
      gauge(
        `${key}/${resource}_used`,
        `${name}_${word}_used${unit}`,
        `${text} ${whose} that tasks and executors have`,
        scale,
      ),
    ];
  });
}

export const MASTER_METRICS: readonly SnapshotMetric[] = [
  gauge('master/elected', 'master_elected', '1 if this master leads'),
  gauge('master/uptime_secs', 'master_uptime_seconds', 'Time since the master started'),
  gauge('master/slaves_active', 'master_agents_active', 'Agents whose resources are offered'),
  gauge('master/slaves_inactive', 'master_agents_inactive', 'Agents whose resources are not offered'),
  gauge('master/slaves_connected', 'master_agents_connected', 'Agents that are connected'),
  gauge('master/slaves_disconnected', 'master_agents_disconnected', 'Registered agents without a connection'),
  gauge('master/slaves_unreachable', 'master_agents_unreachable', 'Agents that the master has given up'),
  counter('master/slave_registrations', 'master_agent_registrations', 'Registrations of new agents'),
  counter('master/slave_reregistrations', 'master_agent_reregistrations', 'Registrations of known agents'),
  counter('master/slave_removals', 'master_agent_removals', 'Agents removed'),
  gauge('master/frameworks_active', 'master_frameworks_active', 'Frameworks that get offers'),
  gauge('master/frameworks_inactive', 'master_frameworks_inactive', 'Frameworks that get no offers'),
  gauge('master/frameworks_connected', 'master_frameworks_connected', 'Frameworks that are connected'),
  gauge(
    'master/frameworks_disconnected',
    'master_frameworks_disconnected',
    'Registered frameworks without a connection',
  ),
  gauge('master/outstanding_offers', 'master_outstanding_offers', 'Offers without an answer'),
  ...tasks('master', 'master', MASTER_LIVE, MASTER_ENDED),
  ...resources('master', 'master', 'of all agents'),
  counter('master/dropped_messages', 'master_dropped_messages', 'Messages that the master has dropped'),
  counter('master/valid_status_updates', 'master_valid_status_updates', 'Valid status updates'),
  counter('master/invalid_status_updates', 'master_invalid_status_updates', 'Invalid status updates'),
  gauge('master/event_queue_messages', 'master_queued_messages', 'Messages in the queue of the master'),
  gauge(
    'master/event_queue_http_requests',
    'master_queued_http_requests',
    'HTTP requests in the queue of the master',
  ),
  gauge('master/event_queue_dispatches', 'master_queued_dispatches', 'Calls in the queue of the master'),
  gauge('registrar/log/recovered', 'registrar_log_recovered', '1 if the replicated log is recovered'),
  gauge('registrar/queued_operations', 'registrar_queued_operations', 'Changes that wait for the registry'),
  gauge('registrar/registry_size_bytes', 'registrar_registry_bytes', 'Size of the registry'),
  gauge(
    'registrar/state_store_ms/p99',
    'registrar_state_store_p99_seconds',
    '99th percentile of the time to store the registry',
    MILLISECOND,
  ),
  counter('allocator/mesos/allocation_runs', 'allocator_runs', 'Runs of the allocator'),
  gauge(
    'allocator/mesos/allocation_run_ms/p99',
    'allocator_run_p99_seconds',
    '99th percentile of the time of a run of the allocator',
    MILLISECOND,
  ),
  gauge(
    'allocator/mesos/event_queue_dispatches',
    'allocator_queued_dispatches',
    'Calls in the queue of the allocator',
  ),
];

/** Mesos encodes names of frameworks like a part of a URL, so that they contain no slash; a role may contain one. */
const FRAMEWORK = '^master/frameworks/([^/]*)/([^/]+)';
const OF_FRAMEWORK = ['framework', 'framework_id'];

export const MASTER_NAMED_METRICS: readonly NamedMetric[] = [
  {
    pattern: new RegExp(`${FRAMEWORK}/subscribed$`),
    groups: OF_FRAMEWORK,
    name: 'mesos_master_framework_subscribed',
    type: 'gauge',
    help: '1 if the framework is subscribed',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/tasks/active/task_(${MASTER_LIVE.join('|')})$`),
    groups: [...OF_FRAMEWORK, 'state'],
    name: 'mesos_master_framework_tasks',
    type: 'gauge',
    help: 'Tasks of the framework that have not ended, by state',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/tasks/terminal/task_(${MASTER_ENDED.join('|')})$`),
    groups: [...OF_FRAMEWORK, 'state'],
    name: 'mesos_master_framework_tasks_ended_total',
    type: 'counter',
    help: 'Tasks of the framework that have ended, by their last state',
  },
  {
    pattern: new RegExp(`${FRAMEWORK}/offers/(sent|accepted|declined|rescinded)$`),
    groups: [...OF_FRAMEWORK, 'event'],
    name: 'mesos_master_framework_offers_total',
    type: 'counter',
    help: 'Offers to the framework, by what has happened to them',
  },
  {
    pattern: /^allocator\/mesos\/roles\/(.+)\/shares\/dominant$/s,
    groups: ['role'],
    name: 'mesos_allocator_role_dominant_share_ratio',
    type: 'gauge',
    help: 'Largest share that the role has of any resource',
  },
];

export const AGENT_METRICS: readonly SnapshotMetric[] = [
  gauge('slave/registered', 'agent_registered', '1 if the agent is registered with a master'),
  gauge('slave/uptime_secs', 'agent_uptime_seconds', 'Time since the agent started'),
  gauge('slave/frameworks_active', 'agent_frameworks_active', 'Frameworks with executors on the agent'),
  ...byState(['registering', 'running', 'terminating'], (state) =>
    gauge(`slave/executors_${state}`, 'agent_executors', 'Executors, by state'),
  ),
  counter('slave/executors_terminated', 'agent_executors_terminated', 'Executors that have ended'),
  ...tasks('slave', 'agent', LIVE, ['finished', 'failed', 'killed', 'lost', 'gone']),
  ...resources('slave', 'agent', 'of the agent'),
  counter('slave/valid_status_updates', 'agent_valid_status_updates', 'Valid status updates'),
  counter('slave/invalid_status_updates', 'agent_invalid_status_updates', 'Invalid status updates'),
  counter(
    'slave/container_launch_errors',
    'agent_container_launch_errors',
    'Containers that could not be started',
  ),
  counter(
    'containerizer/mesos/container_destroy_errors',
    'agent_container_destroy_errors',
    'Containers that could not be removed',
  ),
  counter('slave/recovery_errors', 'agent_recovery_errors', 'Errors while the agent recovered its state'),
  counter('gc/path_removals_failed', 'agent_path_removals_failed', 'Directories that could not be removed'),
  counter(
    'containerizer/fetcher/task_fetches_failed',
    'agent_task_fetches_failed',
    'Tasks whose files could not be fetched',
  ),
];
