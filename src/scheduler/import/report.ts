/** Texts that describe an import. */

import type { Change, ImportPlan } from './import.ts';
import type { Remark } from './marathon.ts';

const CHANGE_TEXTS: Readonly<Record<Change, string>> = {
  create: 'is created',
  replace: 'is changed; its tasks are replaced',
  scale: 'is scaled',
  keep: 'is unchanged',
};

export function describePlan({ apps }: ImportPlan): string[] {
  return apps.map(({ id, change, instances }) => `  ${id}: ${CHANGE_TEXTS[change]}; instances: ${instances}`);
}

export function describeRemarks(remarks: readonly Remark[]): string[] {
  return remarks.map(({ id, field, why }) => `  ${id}: ${field} ${why}`);
}
