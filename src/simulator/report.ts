/** The result of a simulation, and its text. */

import type { LinkCounts } from './link.ts';
import type { Violation } from './safety.ts';

type Counts = Readonly<Record<string, number>>;

export interface Report {
  readonly seed: number;
  /** Virtual seconds in total, and until the cluster came to rest; undefined if it did not. */
  readonly seconds: number;
  readonly restSeconds: number | undefined;
  readonly agents: number;
  readonly apps: number;
  /** At the end. */
  readonly tasks: number;
  /** Apps for which there is no room. */
  readonly waiting: readonly string[];
  readonly offers: number;
  readonly scheduler: Readonly<LinkCounts>;
  readonly faults: Counts;
  readonly changes: Counts;
  /** Number of state events by type; task updates by state. */
  readonly events: Counts;
  readonly violations: readonly Violation[];
}

export function renderReport(report: Report): string {
  const { scheduler, events, restSeconds, waiting, violations } = report;
  const states = entries(events).filter(([name]) => name.startsWith('TASK_'));
  const deployments = entries(events).filter(([name]) => name.startsWith('deployment '));
  const rows: [string, string][] = [
    ['seed', String(report.seed)],
    ['virtual time', `${Math.round(report.seconds)} s, ${restText(restSeconds)}`],
    ['at the end', `${report.agents} agents, ${report.apps} apps, ${report.tasks} tasks`],
    ['launched', `${events.task_launched ?? 0} tasks with ${report.offers} offers`],
    ['updates', listText(states.map(([name, n]) => [name.slice('TASK_'.length).toLowerCase(), n]))],
    ['deployments', listText(deployments.map(([name, n]) => [name.slice('deployment '.length), n]))],
    ['changes', listText(entries(report.changes))],
    ['faults', listText(entries(report.faults))],
    ['scheduler', listText(entries({ ...scheduler }))],
    ['no room for', waiting.length > 0 ? waiting.join(', ') : 'none'],
    ['broken', violations.length === 0 ? 'no property' : (violations[0]?.property ?? '')],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const broken = violations.map(
    ({ property, detail, at }) => `${(at / 1000).toFixed(3)} s  ${property}: ${detail}`,
  );
  return [...lines, ...broken].join('\n');
}

function restText(seconds: number | undefined): string {
  return seconds === undefined ? 'not at rest' : `at rest ${Math.round(seconds)} s after the last fault`;
}

function entries(counts: Counts): [string, number][] {
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
}

function listText(counts: readonly [string, number][]): string {
  return counts.length > 0 ? counts.map(([name, n]) => `${splitWords(name)} ${n}`).join(', ') : 'none';
}

/** Converts `lostCalls` to `lost calls`. */
function splitWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
