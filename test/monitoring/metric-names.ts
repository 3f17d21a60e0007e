/** The metrics and expressions of the dashboard and the alerts, for tests. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { dashboard } from '../../src/monitoring/dashboard.ts';

export const RULES = path.resolve(import.meta.dirname, '../../templates/monitoring/rules.yml');

export interface Rule {
  readonly alert: string;
  readonly expr: string;
}

export async function alertRules(): Promise<readonly Rule[]> {
  const { groups } = parse(await readFile(RULES, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** The rules of the file, which fire at once. */
export async function immediateRules(): Promise<string> {
  return (await readFile(RULES, 'utf8')).replaceAll(/^ +for: .*\n/gm, '');
}

/** The expressions of the dashboard, for one cluster. */
export function dashboardExpressions(cluster: string): string[] {
  const { panels } = dashboard() as { panels: { targets?: { expr: string }[] }[] };
  return panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) => expr.replaceAll('$cluster', cluster));
}

/** The names of metrics in an expression: `up`, and those with the prefix of a program. */
export function metricNames(expression: string): string[] {
  const withoutTexts = expression.replaceAll(/"[^"]*"/g, '');
  return withoutTexts.match(/\b(up|(mesos|mesosup|haproxy)_\w+)\b/g) ?? [];
}
