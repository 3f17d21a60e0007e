/** Seeds faults in what the doctor reads of a healthy cluster. */

import { type DiagnoseInput, diagnose } from '../../src/install/doctor/diagnose.ts';
import type { Examination } from '../../src/install/doctor/examination.ts';
import type { Facts } from '../../src/install/facts.ts';
import { ALL, cluster, seen, well } from './healthy-cluster.ts';
import { serviceFacts } from './hosts.ts';

/** Diagnoses a healthy cluster with these differences on h2, and renders each finding. */
export function withFault(
  facts: (own: Facts) => Partial<Facts>,
  examination: (own: Examination) => Partial<Examination> = () => ({}),
  more: Partial<DiagnoseInput> = {},
): string[] {
  const host2 = well('h2');
  const seen2 = seen('h2');
  const found = diagnose({
    cluster,
    facts: new Map([...ALL, ['h2', { ...host2, ...facts(host2) }]]),
    examinations: new Map([
      ['h1', seen('h1')],
      ['h2', { ...seen2, ...examination(seen2) }],
      ['h3', seen('h3')],
    ]),
    unreachable: [],
    preflight: [],
    drift: undefined,
    agents: [],
    ...more,
  });
  return found.map(({ host, severity, check, message, fixable }) =>
    [host || 'cluster', severity, check, ...(fixable ? ['(fix)'] : []), message].join(' '),
  );
}

/** Diagnoses with these facts of h2. */
export const inFacts = (facts: (own: Facts) => Partial<Facts>) => withFault(facts);
/** Diagnoses with these results of the examination of h2. */
export const inExamination = (change: (own: Examination) => Partial<Examination>) =>
  withFault(() => ({}), change);
/** Facts in which a service differs. */
export const service = (name: string, changes: Parameters<typeof serviceFacts>[0]) => (own: Facts) => ({
  services: { ...own.services, [name]: serviceFacts(changes) },
});
/** An examination in which the spaces at these paths differ. */
export const on = (paths: readonly string[], change: object) => (own: Examination) => ({
  spaces: Object.fromEntries(
    Object.entries(own.spaces).map(([path, space]) => [
      path,
      paths.includes(path) ? { ...space, ...change } : space,
    ]),
  ),
});
