/** The table of the clusters that are known on this machine. */

import { count } from '../text/count.ts';
import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import type { Source } from './context.ts';

/** The result of a request to the scheduler. */
export type ClusterLook =
  | { readonly answers: true; readonly url: string; readonly apps: number; readonly tasks: number }
  | { readonly answers: false; readonly problem: string };

export type ClusterRow = {
  readonly name: string;
  readonly inUse: boolean;
  readonly source: Source;
  /** URLs of its schedulers. */
  readonly urls: readonly string[];
  /** Names of its hosts, if it was installed from this machine. */
  readonly hosts?: readonly string[];
} & ClusterLook;

const SOURCES: Readonly<Record<Source, string>> = {
  added: 'added',
  installed: 'installed',
  demo: 'demo',
  environment: 'MESOSUP_URL',
};

const COLUMNS: readonly Column<ClusterRow>[] = [
  { title: 'NAME', cell: ({ name, inUse }) => (inUse ? `${name} *` : name), shrinkTo: 12 },
  { title: 'SOURCE', cell: ({ source }) => SOURCES[source], drop: 1 },
  { title: 'HOSTS', cell: ({ hosts }) => (hosts === undefined ? '' : String(hosts.length)), drop: 2 },
  {
    title: 'SCHEDULER',
    cell: (row) => (row.answers ? row.url : (row.urls[0] ?? '')),
    shrinkTo: 20,
  },
  {
    title: 'STATE',
    cell: (row) =>
      row.answers
        ? `${count(row.apps, 'app')}, ${count(row.tasks, 'task')}`
        : `does not answer: ${row.problem}`,
    shrinkTo: 15,
  },
];

/** The context in use has an asterisk. */
export function clustersTable(rows: readonly ClusterRow[], options: TableOptions): string {
  return renderTable(COLUMNS, rows, options);
}
