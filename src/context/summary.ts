/** Describes contexts without their secrets. */

import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import type { Context, Source } from './context.ts';

export interface ContextSummary {
  readonly name: string;
  readonly inUse: boolean;
  readonly source: Source;
  readonly urls: readonly string[];
  /** Absent with a token, or without credentials. */
  readonly user?: string;
  readonly authentication: 'password' | 'token' | 'none';
  readonly caFile?: string;
}

export function contextSummary(
  { name, source, urls, credentials, caFile }: Context,
  current: string | undefined,
): ContextSummary {
  return {
    name,
    inUse: name === current,
    source,
    urls,
    ...(credentials?.kind === 'password' && { user: credentials.user }),
    authentication: credentials?.kind ?? 'none',
    ...(caFile !== undefined && { caFile }),
  };
}

const SOURCES: Readonly<Record<Source, string>> = {
  added: 'added',
  installed: 'installed from here',
  demo: 'running demo',
  environment: 'MESOSUP_URL',
};

const COLUMNS: readonly Column<ContextSummary>[] = [
  { title: 'NAME', cell: ({ name, inUse }) => (inUse ? `${name} *` : name), shrinkTo: 12 },
  { title: 'SOURCE', cell: ({ source }) => SOURCES[source], drop: 2 },
  { title: 'USER', cell: userOf, drop: 1 },
  { title: 'SCHEDULERS', cell: ({ urls }) => firstOf(urls), shrinkTo: 20 },
  { title: 'ALL', cell: ({ urls }) => urls.join(' '), wide: true },
  { title: 'CA FILE', cell: ({ caFile }) => caFile ?? '', wide: true },
];

function userOf({ user, authentication }: ContextSummary): string {
  return user ?? (authentication === 'token' ? '(token)' : '');
}

/** The context in use has an asterisk. */
export function contextsTable(rows: readonly ContextSummary[], options: TableOptions): string {
  return renderTable(COLUMNS, rows, options);
}

/** A line for each field. */
export function describeContext(summary: ContextSummary): string {
  const { name, inUse, source, urls, authentication, user, caFile } = summary;
  const how = { password: `password of ${user}`, token: 'token', none: 'none' }[authentication];
  return [
    `Context         ${name}${inUse ? ' (in use)' : ''}`,
    `Source          ${SOURCES[source]}`,
    ...urls.map((url) => `Scheduler       ${url}`),
    `Authentication  ${how}`,
    ...(caFile === undefined ? [] : [`CA file         ${caFile}`]),
  ].join('\n');
}

function firstOf([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}
