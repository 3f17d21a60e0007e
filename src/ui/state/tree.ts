/** The tree of groups and apps with filters and order, as rows of a list (pure). */

import { programOf, statusOf } from '../../apps/app-rows.ts';
import type { GroupJson } from '../../scheduler/api/v2/app-schemas.ts';
import type { Apps, ShownApp } from './apps.ts';

export const STATUSES = ['running', 'deploying', 'waiting', 'unhealthy', 'suspended', 'job'] as const;
export const HEALTHS = ['healthy', 'unhealthy', 'unknown', 'none'] as const;
export const SORTS = ['name', 'status', 'instances', 'cpus', 'mem'] as const;

export type Sort = (typeof SORTS)[number];

export interface Filter {
  readonly text: string;
  /** `name` or `name=value`. */
  readonly label: string;
  /** Empty for all. */
  readonly status: string;
  readonly health: string;
}

export interface Counts {
  readonly apps: number;
  readonly instances: number;
  readonly running: number;
  readonly healthy: number;
  readonly unhealthy: number;
  readonly staged: number;
}

export type Row =
  | {
      readonly kind: 'app';
      readonly id: string;
      readonly name: string;
      readonly depth: number;
      readonly app: ShownApp;
    }
  | {
      readonly kind: 'group';
      readonly id: string;
      readonly name: string;
      readonly depth: number;
      readonly counts: Counts;
      readonly isOpen: boolean;
    };

export function matchesFilter(app: ShownApp, { text, label, status, health }: Filter): boolean {
  if (status !== '' && statusOf(app) !== status) return false;
  if (health !== '' && healthOf(app) !== health) return false;
  if (label !== '' && !hasLabel(app, label)) return false;
  const words = text.toLowerCase().split(/\s+/);
  const all = `${app.id} ${programOf(app)}`.toLowerCase();
  return words.every((word) => all.includes(word));
}

function hasLabel({ labels }: ShownApp, label: string): boolean {
  const at = label.indexOf('=');
  if (at < 0) return Object.keys(labels).some((name) => name.toLowerCase().includes(label.toLowerCase()));
  const name = label.slice(0, at).trim();
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  return (
    value?.toLowerCase().includes(
      label
        .slice(at + 1)
        .trim()
        .toLowerCase(),
    ) ?? false
  );
}

export function healthOf({
  healthChecks,
  tasksHealthy = 0,
  tasksUnhealthy = 0,
}: ShownApp): (typeof HEALTHS)[number] {
  if (healthChecks.length === 0) return 'none';
  if (tasksUnhealthy > 0) return 'unhealthy';
  return tasksHealthy > 0 ? 'healthy' : 'unknown';
}

interface Node {
  readonly id: string;
  readonly groups: Map<string, Node>;
  readonly apps: ShownApp[];
}

/**
 * @param closed groups whose content is not shown
 * @param sort the order within each group; groups come first
 * @param groups also empty ones, which a filter hides
 */
export function rowsOf(
  apps: Apps,
  filter: Filter,
  sort: Sort,
  closed: ReadonlySet<string>,
  groups: readonly string[] = [],
): Row[] {
  const root: Node = { id: '', groups: new Map(), apps: [] };
  const isFiltered = Object.values(filter).some((one) => one !== '');
  if (!isFiltered) for (const id of groups) nodeAt(root, id.split('/').slice(1));
  for (const app of apps.values())
    if (matchesFilter(app, filter)) nodeAt(root, app.id.split('/').slice(1, -1)).apps.push(app);
  const rows: Row[] = [];
  addRows(root, 0, sort, closed, rows);
  return rows;
}

/** @returns the ids of all groups below the root */
export function groupIds({ groups }: Pick<GroupJson, 'groups'>): string[] {
  return groups.flatMap((one) => [one.id, ...groupIds(one)]);
}

function nodeAt(root: Node, segments: readonly string[]): Node {
  let node = root;
  for (const segment of segments) {
    let next = node.groups.get(segment);
    if (!next) {
      next = { id: `${node.id}/${segment}`, groups: new Map(), apps: [] };
      node.groups.set(segment, next);
    }
    node = next;
  }
  return node;
}

/** @returns the counts of the node */
function addRows(node: Node, depth: number, sort: Sort, closed: ReadonlySet<string>, rows: Row[]): Counts {
  let counts: Counts = { apps: 0, instances: 0, running: 0, healthy: 0, unhealthy: 0, staged: 0 };
  for (const [name, group] of [...node.groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const at = rows.length;
    const isOpen = !closed.has(group.id);
    const own = addRows(group, depth + 1, sort, closed, rows);
    counts = sum(counts, own);
    if (!isOpen) rows.length = at;
    rows.splice(at, 0, { kind: 'group', id: group.id, name, depth, counts: own, isOpen });
  }
  for (const app of node.apps.toSorted(ORDERS[sort])) {
    counts = sum(counts, countsOf(app));
    rows.push({ kind: 'app', id: app.id, name: app.id.slice(node.id.length + 1), depth, app });
  }
  return counts;
}

const byName = (a: ShownApp, b: ShownApp) => (a.id < b.id ? -1 : 1);
/** What needs attention comes first. */
const RANKS = ['unhealthy', 'waiting', 'deploying', 'job', 'running', 'suspended'];
const ORDERS: Readonly<Record<Sort, (a: ShownApp, b: ShownApp) => number>> = {
  name: byName,
  status: (a, b) => RANKS.indexOf(statusOf(a)) - RANKS.indexOf(statusOf(b)) || byName(a, b),
  instances: (a, b) => b.instances - a.instances || byName(a, b),
  cpus: (a, b) => b.cpus * b.instances - a.cpus * a.instances || byName(a, b),
  mem: (a, b) => b.mem * b.instances - a.mem * a.instances || byName(a, b),
};

export function countsOf(app: ShownApp): Counts {
  const { instances, mode, tasksRunning = 0, tasksHealthy = 0, tasksUnhealthy = 0, tasksStaged = 0 } = app;
  return {
    apps: 1,
    // The number of a daemon follows from the agents.
    instances: mode === 'daemon' ? tasksRunning + tasksStaged : instances,
    running: tasksRunning,
    healthy: tasksHealthy,
    unhealthy: tasksUnhealthy,
    staged: tasksStaged,
  };
}

function sum(a: Counts, b: Counts): Counts {
  return {
    apps: a.apps + b.apps,
    instances: a.instances + b.instances,
    running: a.running + b.running,
    healthy: a.healthy + b.healthy,
    unhealthy: a.unhealthy + b.unhealthy,
    staged: a.staged + b.staged,
  };
}

export interface BarPart {
  readonly kind: 'healthy' | 'unhealthy' | 'running' | 'staged' | 'missing';
  readonly count: number;
}

/** The parts of a health bar, in this order; `running` has no health. */
export function barOf({ instances, running, healthy, unhealthy, staged }: Counts): BarPart[] {
  const unknown = Math.max(0, running - healthy - unhealthy);
  const missing = Math.max(0, instances - running - staged);
  const parts: BarPart[] = [
    { kind: 'healthy', count: healthy },
    { kind: 'running', count: unknown },
    { kind: 'unhealthy', count: unhealthy },
    { kind: 'staged', count: staged },
    { kind: 'missing', count: missing },
  ];
  return parts.filter(({ count }) => count > 0);
}
