/** The table of a cluster's secrets, which never shows their values. */

import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import { type KeptSecrets, NOT_ROTATED } from './rotation.ts';
import { type RotationPhase, STORED_SECRET_NAMES, type StoredSecretName } from './secrets.ts';

export interface SecretRow {
  readonly name: StoredSecretName;
  readonly usedBy: string;
  /** 1 for the first one, incremented by each rotation. */
  readonly generation: number;
  /** ISO 8601; missing if an earlier release made it. */
  readonly made?: string;
  /** Days since it was made, rounded down. */
  readonly days?: number;
  /** While it is rotated. */
  readonly phase?: RotationPhase;
  /** Why it can't be rotated without an outage. */
  readonly notRotated?: string;
}

const USED_BY: Readonly<Record<StoredSecretName, string>> = {
  agent: 'agents, at masters',
  scheduler: 'schedulers, at masters and agents',
  operator: 'people, mesosup and the exporter, at masters and agents',
  'executor-key': 'agents, for the tokens of executors',
  'zookeeper-mesos': 'masters and agents, at ZooKeeper',
  'zookeeper-scheduler': 'schedulers, at ZooKeeper',
  api: "people, mesosup, load balancers and Prometheus, at the scheduler's API",
};

const DAY_MS = 86_400_000;

/** @param now milliseconds since the epoch */
export function secretRows({ generations, since, rotation }: KeptSecrets, now: number): SecretRow[] {
  return STORED_SECRET_NAMES.map((name) => {
    const made = since[name];
    const notRotated = NOT_ROTATED[name];
    return {
      name,
      usedBy: USED_BY[name],
      generation: generations[name] ?? 1,
      ...(made !== undefined && {
        made: new Date(made).toISOString(),
        days: Math.max(0, Math.floor((now - made) / DAY_MS)),
      }),
      ...(rotation?.others[name] !== undefined && { phase: rotation.phase }),
      ...(notRotated !== undefined && { notRotated }),
    };
  });
}

const COLUMNS: readonly Column<SecretRow>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'USED BY', cell: ({ usedBy }) => usedBy, shrinkTo: 20 },
  { title: 'DAYS', cell: ({ days }) => (days === undefined ? 'unknown' : String(days)), right: true },
  { title: 'GENERATION', cell: ({ generation }) => String(generation), right: true, drop: 1 },
  {
    title: 'ROTATION',
    cell: ({ phase, notRotated }) => phase ?? (notRotated === undefined ? '' : 'not possible'),
  },
  { title: 'WHY NOT', cell: ({ notRotated }) => notRotated ?? '', wide: true },
];

export function secretsTable(rows: readonly SecretRow[], options: TableOptions): string {
  return renderTable(COLUMNS, rows, options);
}
