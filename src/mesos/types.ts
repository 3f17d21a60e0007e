/**
 * The Mesos v1 messages that mesosup reads and writes, in their JSON form: snake_case names, 64-bit numbers as JSON
 * numbers, bytes as base64 strings. Only fields in use are declared; other fields are passed through.
 * Source: include/mesos/v1/*.proto of Mesos 1.11, and transcripts of a running master and agent.
 */

export interface Value {
  value: string;
}

export interface Range {
  /** First port of the range. */
  begin: number;
  /** Last port, inclusive. */
  end: number;
}

export interface AllocationInfo {
  role?: string;
}

export interface ReservationInfo {
  type?: 'STATIC' | 'DYNAMIC';
  role?: string;
  principal?: string;
  labels?: Labels;
}

export interface DiskInfo {
  /** Makes the disk a persistent volume. Its id is unique on an agent among the volumes of a role. */
  persistence?: { id: string; principal?: string };
  /** Where the volume appears in the executor's sandbox, a relative path. */
  volume?: Volume;
  /** A disk of its own: a directory below `path`, or a mount point that is used as a whole. Absent: the work directory. */
  source?: {
    type: string;
    path?: { root?: string };
    mount?: { root?: string };
    profile?: string;
    id?: string;
  };
}

export interface Resource {
  name: string;
  type: 'SCALAR' | 'RANGES' | 'SET';
  scalar?: { value: number };
  ranges?: { range: Range[] };
  set?: { item: string[] };
  /** `*` if unreserved. For frameworks without RESERVATION_REFINEMENT: the role of the reservation. */
  role?: string;
  /** Dynamic reservation, for frameworks without RESERVATION_REFINEMENT; has no role. */
  reservation?: ReservationInfo;
  /** For frameworks with RESERVATION_REFINEMENT: a stack, of which the last entry counts. */
  reservations?: ReservationInfo[];
  allocation_info?: AllocationInfo;
  /** A persistent volume, or a disk other than the agent's work directory. */
  disk?: DiskInfo;
  /** May be revoked at any time; not used here. */
  revocable?: object;
  /** May be used by several tasks at once; not used here. */
  shared?: object;
}

export interface Attribute {
  name: string;
  type: 'SCALAR' | 'RANGES' | 'SET' | 'TEXT';
  scalar?: { value: number };
  ranges?: { range: Range[] };
  set?: { item: string[] };
  text?: { value: string };
}

/** Region and zone of an agent, from its `--domain`. */
export interface DomainInfo {
  fault_domain?: { region: { name: string }; zone: { name: string } };
}

export interface EnvironmentVariable {
  name: string;
  value?: string;
  type?: 'VALUE';
}

export interface CommandUri {
  value: string;
  executable?: boolean;
  /** True by default: archives, known by the end of their name, are unpacked. Without effect with `executable`. */
  extract?: boolean;
  cache?: boolean;
  /** Path in the sandbox, instead of the last segment of `value`. */
  output_file?: string;
}

export interface CommandInfo {
  value?: string;
  /** True by default: `value` is run by `/bin/sh -c`. */
  shell?: boolean;
  arguments?: string[];
  environment?: { variables: EnvironmentVariable[] };
  user?: string;
  uris?: CommandUri[];
}

export interface DurationInfo {
  nanoseconds: number;
}

export interface KillPolicy {
  grace_period?: DurationInfo;
}

/** Health check that an executor runs for a task. `type` selects the member in use. */
export interface HealthCheck {
  type?: 'UNKNOWN' | 'COMMAND' | 'HTTP' | 'TCP';
  /** From TASK_RUNNING to the first check, in seconds. Default: 15. */
  delay_seconds?: number;
  /** From the end of one check to the start of the next, in seconds. Default: 10. */
  interval_seconds?: number;
  /** Time limit of a check, in seconds. Default: 20; 0 for no limit. */
  timeout_seconds?: number;
  /** From TASK_RUNNING, in seconds: until then, failures before the first success don't count. Default: 10. */
  grace_period_seconds?: number;
  /** Failures in a row after which the executor kills the task. Default: 3. */
  consecutive_failures?: number;
  command?: CommandInfo;
  http?: {
    port: number;
    path?: string;
    scheme?: string;
    /** Statuses that count as healthy, instead of 200 to 399. Mesos' own executors ignore it. */
    statuses?: number[];
    protocol?: 'IPv4' | 'IPv6';
  };
  tcp?: { port: number; protocol?: 'IPv4' | 'IPv6' };
}

export interface Labels {
  labels: { key: string; value?: string }[];
}

/** A directory of the agent, mounted in a container. */
export interface Volume {
  mode: 'RW' | 'RO';
  container_path: string;
  host_path?: string;
}

/** A port of the host that is forwarded to a port of the container. */
export interface PortMapping {
  host_port: number;
  container_port: number;
  /** `tcp`, `udp` or `sctp`. */
  protocol?: string;
}

/** A network of a container. In a TaskInfo, Mesos assigns one address for each entry of `ip_addresses`. */
export interface NetworkInfo {
  name?: string;
  ip_addresses?: { protocol?: 'IPv4' | 'IPv6'; ip_address?: string }[];
  /** In a TaskInfo only for the Mesos containerizer. */
  port_mappings?: PortMapping[];
}

/** How one of Mesos' own containerizers runs a task. `type` selects the containerizer and the member in use. */
export interface ContainerInfo {
  type: 'DOCKER' | 'MESOS';
  volumes?: Volume[];
  network_infos?: NetworkInfo[];
  docker?: {
    image: string;
    network?: 'HOST' | 'BRIDGE' | 'NONE' | 'USER';
    port_mappings?: PortMapping[];
    privileged?: boolean;
    /** Options of `docker run`, as `--KEY=VALUE`. */
    parameters?: { key: string; value: string }[];
    force_pull_image?: boolean;
  };
  mesos?: {
    /** Without it, the task has the file system of the agent. */
    image?: { type: 'DOCKER'; docker: { name: string }; cached?: boolean };
  };
}

export interface ExecutorInfo {
  type?: 'CUSTOM' | 'DEFAULT';
  executor_id: Value;
  framework_id?: Value;
  command?: CommandInfo;
  resources?: Resource[];
  name?: string;
  source?: string;
  data?: string;
  labels?: Labels;
  shutdown_grace_period?: DurationInfo;
  container?: ContainerInfo;
}

/** A task to launch; it has exactly one of `command` and `executor`. */
export interface TaskInfo {
  name: string;
  task_id: Value;
  agent_id: Value;
  resources: Resource[];
  executor?: ExecutorInfo;
  command?: CommandInfo;
  /** With `command`; an executor has its own. */
  container?: ContainerInfo;
  /** base64 */
  data?: string;
  labels?: Labels;
  kill_policy?: KillPolicy;
  health_check?: HealthCheck;
  /** For service discovery; Mesos only keeps and shows it. */
  discovery?: DiscoveryInfo;
}

export interface DiscoveryInfo {
  visibility: 'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL';
  name?: string;
  environment?: string;
  location?: string;
  version?: string;
  ports?: { ports: DiscoveryPort[] };
  labels?: Labels;
}

export interface DiscoveryPort {
  number: number;
  name?: string;
  /** For example `tcp`; any text. */
  protocol?: string;
  visibility?: DiscoveryInfo['visibility'];
  labels?: Labels;
}

export const TASK_STATES = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_UNREACHABLE',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

const LIVE: ReadonlySet<TaskState> = new Set([
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
]);

/**
 * True if a task in this state never runs again. TASK_UNREACHABLE is not terminal (the agent may return);
 * TASK_UNKNOWN counts as terminal, since the master does not know the task.
 */
export function isTerminal(state: TaskState): boolean {
  return !LIVE.has(state) && state !== 'TASK_UNREACHABLE';
}

export interface ContainerStatus {
  container_id?: Value;
  network_infos?: NetworkInfo[];
  executor_pid?: number;
}

export interface TaskStatus {
  task_id: Value;
  state: TaskState;
  message?: string;
  source?: 'SOURCE_MASTER' | 'SOURCE_AGENT' | 'SOURCE_EXECUTOR';
  reason?: string;
  data?: string;
  agent_id?: Value;
  executor_id?: Value;
  /** Seconds since the epoch. */
  timestamp?: number;
  /** The 16 raw bytes of a UUID, base64. Present only on updates that must be acknowledged. */
  uuid?: string;
  labels?: Labels;
  container_status?: ContainerStatus;
  /** Result of the task's health check; absent if there is no check or no result that counts yet. */
  healthy?: boolean;
}

export interface FrameworkInfo {
  user: string;
  name: string;
  id?: Value;
  /** Seconds; 0, the default, ends every task on a disconnect. */
  failover_timeout?: number;
  checkpoint?: boolean;
  roles?: string[];
  capabilities?: { type: string }[];
  principal?: string;
  hostname?: string;
  webui_url?: string;
  labels?: Labels;
}

export interface Address {
  hostname?: string;
  ip?: string;
  port: number;
}

export interface MasterInfo {
  id: string;
  /** The IPv4 address as a little-endian number, as Mesos writes it. */
  ip: number;
  port: number;
  pid?: string;
  hostname?: string;
  version?: string;
  address?: Address;
  capabilities?: { type: string }[];
}

export interface AgentInfo {
  id?: Value;
  hostname: string;
  port?: number;
  resources?: Resource[];
  attributes?: Attribute[];
}

export interface Offer {
  id: Value;
  framework_id: Value;
  agent_id: Value;
  hostname: string;
  url?: { scheme: string; address: Address; path?: string };
  resources: Resource[];
  attributes?: Attribute[];
  domain?: DomainInfo;
  /** The framework's own executors that already run on this agent. */
  executor_ids?: Value[];
  allocation_info?: AllocationInfo;
}

export interface Filters {
  /** Seconds. Mesos' default: 5. */
  refuse_seconds?: number;
}

/**
 * Operations of an ACCEPT, in order: each sees the resources that the operations before it have left. With an id, the
 * result is reported in UPDATE_OPERATION_STATUS; LAUNCH has none.
 */
export type OfferOperation =
  | { type: 'LAUNCH'; launch: { task_infos: TaskInfo[] } }
  /** The resources as they are afterwards, with the reservation on top. */
  | { type: 'RESERVE'; id?: Value; reserve: { resources: Resource[] } }
  /** The resources as they are before. */
  | { type: 'UNRESERVE'; id?: Value; unreserve: { resources: Resource[] } }
  | { type: 'CREATE'; id?: Value; create: { volumes: Resource[] } }
  | { type: 'DESTROY'; id?: Value; destroy: { volumes: Resource[] } };

/** OPERATION_FINISHED and the states of failures are terminal. */
export type OperationState =
  | 'OPERATION_PENDING'
  | 'OPERATION_FINISHED'
  | 'OPERATION_FAILED'
  | 'OPERATION_ERROR'
  | 'OPERATION_DROPPED'
  | 'OPERATION_UNREACHABLE'
  | 'OPERATION_GONE_BY_OPERATOR'
  | 'OPERATION_RECOVERING'
  | 'OPERATION_UNKNOWN';

export interface OperationStatus {
  operation_id?: Value;
  state: OperationState;
  message?: string;
  converted_resources?: Resource[];
  /** Present only if the status must be acknowledged; base64. */
  uuid?: Value;
  agent_id?: Value;
}

/** Selects a pseudo attribute of an agent, or the first of its attributes with the name. */
export type AttributeSelector =
  | { attribute_name: string }
  | { pseudoattribute_type: 'HOSTNAME' | 'REGION' | 'ZONE' };

/**
 * Exactly one predicate. Text predicates accept every attribute that is not text; negative predicates accept agents
 * without the attribute.
 */
export type AttributePredicate =
  | { exists: object }
  | { not_exists: object }
  | { text_equals: { value: string } }
  | { text_not_equals: { value: string } }
  /** RE2 syntax; must match the complete text. */
  | { text_matches: { regex: string } }
  | { text_not_matches: { regex: string } };

export interface AttributeConstraint {
  selector: AttributeSelector;
  predicate: AttributePredicate;
}

/**
 * Selects the agents whose offers a framework wants, by role: agents that satisfy all constraints of any group. A role
 * without an entry gets all offers. Neither the list of groups nor a group may be empty. Since Mesos 1.11.
 */
export interface OfferConstraints {
  role_constraints?: Record<string, { groups: { attribute_constraints: AttributeConstraint[] }[] }>;
}

/** Calls of a scheduler. The session adds `framework_id`. */
export type SchedulerCall =
  | {
      type: 'SUBSCRIBE';
      framework_id?: Value;
      subscribe: {
        framework_info: FrameworkInfo;
        suppressed_roles?: string[];
        offer_constraints?: OfferConstraints;
      };
    }
  | { type: 'TEARDOWN' }
  | { type: 'ACCEPT'; accept: { offer_ids: Value[]; operations: OfferOperation[]; filters?: Filters } }
  | { type: 'DECLINE'; decline: { offer_ids: Value[]; filters?: Filters } }
  | { type: 'REVIVE'; revive?: { roles?: string[] } }
  | { type: 'SUPPRESS'; suppress?: { roles?: string[] } }
  | { type: 'KILL'; kill: { task_id: Value; agent_id?: Value; kill_policy?: KillPolicy } }
  | { type: 'SHUTDOWN'; shutdown: { executor_id: Value; agent_id: Value } }
  | { type: 'ACKNOWLEDGE'; acknowledge: { agent_id: Value; task_id: Value; uuid: string } }
  | { type: 'RECONCILE'; reconcile: { tasks: { task_id: Value; agent_id?: Value }[] } }
  | {
      type: 'ACKNOWLEDGE_OPERATION_STATUS';
      acknowledge_operation_status: { agent_id: Value; uuid: string; operation_id: Value };
    }
  | {
      type: 'RECONCILE_OPERATIONS';
      reconcile_operations: { operations: { operation_id: Value; agent_id?: Value }[] };
    }
  | { type: 'MESSAGE'; message: { agent_id: Value; executor_id: Value; data: string } }
  | {
      type: 'UPDATE_FRAMEWORK';
      /** Missing suppressed roles and constraints mean none. */
      update_framework: {
        framework_info: FrameworkInfo;
        suppressed_roles?: string[];
        offer_constraints?: OfferConstraints;
      };
    };

export type SchedulerEvent =
  | {
      type: 'SUBSCRIBED';
      subscribed: { framework_id: Value; heartbeat_interval_seconds?: number; master_info?: MasterInfo };
    }
  | { type: 'OFFERS'; offers: { offers: Offer[] } }
  | { type: 'RESCIND'; rescind: { offer_id: Value } }
  | { type: 'UPDATE'; update: { status: TaskStatus } }
  | { type: 'UPDATE_OPERATION_STATUS'; update_operation_status: { status: OperationStatus } }
  | { type: 'MESSAGE'; message: { agent_id: Value; executor_id: Value; data: string } }
  | { type: 'FAILURE'; failure: { agent_id?: Value; executor_id?: Value; status?: number } }
  | { type: 'ERROR'; error: { message: string } }
  | { type: 'HEARTBEAT' };

/** Calls of an executor. The session adds `executor_id` and `framework_id`. */
export type ExecutorCall =
  | {
      type: 'SUBSCRIBE';
      subscribe: { unacknowledged_tasks: TaskInfo[]; unacknowledged_updates: { status: TaskStatus }[] };
    }
  | { type: 'UPDATE'; update: { status: TaskStatus } }
  | { type: 'MESSAGE'; message: { data: string } };

export type ExecutorEvent =
  | {
      type: 'SUBSCRIBED';
      subscribed: {
        executor_info: ExecutorInfo;
        framework_info: FrameworkInfo;
        agent_info: AgentInfo;
        container_id?: Value;
      };
    }
  | { type: 'LAUNCH'; launch: { task: TaskInfo } }
  | { type: 'KILL'; kill: { task_id: Value; kill_policy?: KillPolicy } }
  | { type: 'ACKNOWLEDGED'; acknowledged: { task_id: Value; uuid: string } }
  | { type: 'MESSAGE'; message: { data: string } }
  | { type: 'SHUTDOWN' }
  | { type: 'ERROR'; error: { message: string } }
  | { type: 'HEARTBEAT' };
