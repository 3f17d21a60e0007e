/** Shows the records of runs: as text, and as the output of `--json`. */

import { listed } from '../../text/listed.ts';
import { type Column, renderTable, type TableOptions } from '../../text/table.ts';
import { failedHosts, type RunLine, type RunRecord } from './run-record.ts';

const UNFINISHED = 'unfinished';

/** A run in the output of `--json`. Times are in ISO 8601. */
export interface RunSummary {
  readonly id: string;
  readonly command: string;
  readonly cluster: string;
  readonly who: string;
  readonly began: string;
  /** Missing without an end. */
  readonly ended?: string;
  /** `unfinished`: the run is in progress, or its program was killed. */
  readonly outcome: 'done' | 'failed' | 'interrupted' | 'unfinished';
  /** Hosts with a failure. */
  readonly failed: readonly string[];
}

export function summaryOf(run: RunRecord): RunSummary {
  const { began, ...head } = run.head;
  return {
    ...head,
    began: isoOf(began),
    ...(run.end && { ended: isoOf(run.end.at) }),
    outcome: run.end?.end ?? UNFINISHED,
    failed: failedHosts(run),
  };
}

const COLUMNS: readonly Column<RunRecord>[] = [
  { title: 'RUN', cell: ({ head }) => head.id },
  { title: 'COMMAND', cell: ({ head }) => head.command },
  { title: 'BEGAN', cell: ({ head }) => isoOf(head.began).replace(/\.\d+Z$/, 'Z') },
  { title: 'TOOK', cell: ({ head, end }) => (end ? took(end.at - head.began) : '-'), right: true },
  { title: 'OUTCOME', cell: (run) => outcomeOf(run) },
  { title: 'BY', cell: ({ head }) => head.who, drop: 1 },
];

/** @param runs in the order of the lines */
export function runsTable(runs: readonly RunRecord[], options: TableOptions): string {
  return renderTable(COLUMNS, runs, options);
}

/** `failed on h1, h2`, `done` */
function outcomeOf(run: RunRecord): string {
  const { end } = run;
  if (end?.end !== 'failed') return end?.end ?? UNFINISHED;
  const hosts = failedHosts(run);
  return hosts.length === 0 ? end.end : `${end.end} on ${listed(hosts, 3)}`;
}

/** The first line above a run's lines, and the last one below them. */
export function runFrame(run: RunRecord): { readonly first: string; readonly last: string } {
  const { head, end } = run;
  return {
    first: `mesosup ${head.command} of ${head.cluster} by ${head.who} at ${isoOf(head.began)}`,
    last: end
      ? `${outcomeOf(run)} after ${took(end.at - head.began)}`
      : 'This run has no end: it is in progress, or its program was killed.',
  };
}

/** Texts of a line: one for each line of its text, and one for its remedy. */
export function textsOf({ kind, text, remedy }: RunLine): string[] {
  const [first = '', ...rest] = text.split('\n');
  const mark = kind === 'failed' ? '✖ ' : kind === 'output' ? '  ' : '';
  return [`${mark}${first}`, ...rest.map((one) => `  ${one}`), ...(remedy ? [`  → ${remedy}`] : [])];
}

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function took(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
