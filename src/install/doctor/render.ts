/** Renders what the doctor has found for a terminal. */

import { count } from '../../text/count.ts';
import { printableLine } from '../../text/printable.ts';
import type { Finding } from './finding.ts';

/** Lines of evidence that are shown of each finding. */
const SHOWN = 6;

export interface Diagnosis {
  readonly cluster: string;
  /** True if nothing was found but warnings. */
  readonly healthy: boolean;
  readonly hosts: number;
  readonly findings: readonly Finding[];
  readonly seconds: number;
}

export function renderDiagnosis({ cluster, hosts, findings, seconds }: Diagnosis): string {
  const blocks = findings.map(({ host, severity, message, evidence, remedy, fixable }) =>
    [
      `${severity === 'error' ? '✖' : '⚠'} ${host || cluster}: ${printableLine(message)}`,
      ...evidence.slice(0, SHOWN).map((line) => `    ${printableLine(line)}`),
      ...(evidence.length > SHOWN ? [`    and ${evidence.length - SHOWN} more (--json shows all)`] : []),
      `  → ${printableLine(remedy)}${fixable ? '  (or: mesosup doctor --fix)' : ''}`,
    ].join('\n'),
  );
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  const totals = [
    ...(errors > 0 ? [count(errors, 'error')] : []),
    ...(warnings > 0 ? [count(warnings, 'warning')] : []),
  ].join(' and ');
  const last = `${cluster}: ${totals || 'no faults found'} on ${count(hosts, 'host')} (${seconds.toFixed(1)} s)`;
  return [...blocks, last].join('\n\n');
}
