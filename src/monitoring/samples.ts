/**
 * Turns the answers of Mesos into samples for Prometheus. Names of frameworks, roles and executors are written by
 * whoever may run them, so their length and number are limited, and they occur only as values of labels.
 */

import { isJson } from '../json.ts';
import {
  AGENT_METRICS,
  MASTER_METRICS,
  MASTER_NAMED_METRICS,
  type MetricType,
  type SnapshotMetric,
} from './snapshot-metrics.ts';

export type Component = 'master' | 'agent';

export interface Sample {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Samples {
  readonly samples: readonly Sample[];
  /** Frameworks, roles and executors that were left out because there are too many. */
  readonly omitted: number;
}

/** Characters. A longer value of a label is cut. */
const MAX_LABEL = 128;

/** @returns undefined if the answer is not an object of numbers */
export function snapshotSamples(component: Component, answer: unknown, most: number): Samples | undefined {
  if (!isJson(answer)) return undefined;
  const metrics = component === 'master' ? MASTER_METRICS : AGENT_METRICS;
  const samples = metrics.flatMap((metric) => {
    const value = finite(answer[metric.key]);
    return value === undefined ? [] : [sampleOf(metric, metric.labels ?? {}, value)];
  });
  if (samples.length === 0) return undefined;
  if (component === 'agent') return { samples, omitted: 0 };
  const named = namedSamples(answer, most);
  return { samples: [...samples, ...named.samples], omitted: named.omitted };
}

function namedSamples(answer: Readonly<Record<string, unknown>>, most: number): Samples {
  const samples: Sample[] = [];
  const known = new Map<string, Set<string>>();
  const omitted = new Set<string>();
  for (const key of Object.keys(answer).sort()) {
    for (const metric of MASTER_NAMED_METRICS) {
      const [, ...found] = metric.pattern.exec(key) ?? [];
      const value = finite(answer[key]);
      if (found.length === 0 || value === undefined) continue;
      const values = metric.groups.map((group, i) =>
        group === 'framework' ? decoded(found[i] ?? '') : (found[i] ?? ''),
      );
      // A framework is known by its name and id, a role by its name.
      const [kind = ''] = metric.groups;
      const owner = JSON.stringify([kind, values.slice(0, kind === 'framework' ? 2 : 1)]);
      const owners = known.get(kind) ?? new Set();
      known.set(kind, owners);
      if (!owners.has(owner) && owners.size >= most) omitted.add(owner);
      else {
        owners.add(owner);
        const labels = Object.fromEntries(metric.groups.map((group, i) => [group, cut(values[i] ?? '')]));
        samples.push(sampleOf(metric, labels, value));
      }
    }
  }
  return { samples, omitted: omitted.size };
}

interface ContainerMetric extends Omit<SnapshotMetric, 'key'> {
  /** Its name in the `statistics` of a container: ResourceStatistics in mesos.proto. */
  readonly field: string;
}

const container = (field: string, name: string, help: string): ContainerMetric => ({
  field,
  name: `mesos_container_${name}`,
  type: name.endsWith('_total') ? 'counter' : 'gauge',
  help,
});

const CONTAINER_METRICS: readonly ContainerMetric[] = [
  container('cpus_soft_limit', 'cpus', 'CPUs that the container has'),
  container('cpus_limit', 'cpus_limit', 'CPUs that the container may use'),
  container('cpus_user_time_secs', 'cpu_user_seconds_total', 'CPU time of the container in user mode'),
  container('cpus_system_time_secs', 'cpu_system_seconds_total', 'CPU time of the container in the kernel'),
  container('cpus_throttled_time_secs', 'cpu_throttled_seconds_total', 'Time without CPU due to the limit'),
  container('mem_limit_bytes', 'memory_limit_bytes', 'Memory that the container may use'),
  container('mem_rss_bytes', 'memory_rss_bytes', 'Memory of the processes of the container'),
  container('mem_total_bytes', 'memory_bytes', 'Memory of the container with its cache'),
  container('disk_limit_bytes', 'disk_limit_bytes', 'Disk space that the container may use'),
  container('disk_used_bytes', 'disk_used_bytes', 'Disk space that the container uses'),
  container('processes', 'processes', 'Processes of the container'),
  container('threads', 'threads', 'Threads of the container'),
];

/**
 * Samples of an agent's `/containers`: each executor has one container, and a task of Mesos' own executors has an
 * executor with the id of the task.
 * @returns undefined if the answer is not a list
 */
export function containerSamples(answer: unknown, most: number): Samples | undefined {
  if (!Array.isArray(answer)) return undefined;
  const containers = answer.filter(isJson).map((one) => ({
    labels: { framework_id: cut(textOf(one.framework_id)), executor_id: cut(textOf(one.executor_id)) },
    statistics: isJson(one.statistics) ? one.statistics : {},
  }));
  const key = ({ labels }: (typeof containers)[number]) => `${labels.framework_id} ${labels.executor_id}`;
  const sorted = containers.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  const samples = sorted.slice(0, most).flatMap(({ labels, statistics }) =>
    CONTAINER_METRICS.flatMap((metric) => {
      const value = finite(statistics[metric.field]);
      return value === undefined ? [] : [sampleOf(metric, labels, value)];
    }),
  );
  const count = {
    name: 'mesos_agent_containers',
    type: 'gauge' as const,
    help: 'Containers of the agent',
    labels: {},
    value: containers.length,
  };
  return { samples: [count, ...samples], omitted: Math.max(0, containers.length - most) };
}

function sampleOf(
  { name, type, help, scale = 1 }: Omit<SnapshotMetric, 'key'>,
  labels: Readonly<Record<string, string>>,
  value: number,
): Sample {
  return { name, type, help, labels, value: value * scale };
}

/** Larger numbers are no measurements, and might not be finite any more in base units. */
const LARGEST = 1e300;

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Math.abs(value) <= LARGEST ? value : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Also replaces halves of surrogate pairs, which a cut may leave. */
function cut(text: string): string {
  return text.length <= MAX_LABEL ? text.toWellFormed() : `${text.slice(0, MAX_LABEL - 1).toWellFormed()}…`;
}

/** Reverts Mesos' encoding of a framework's name. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
