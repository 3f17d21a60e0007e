/** An import in words. */

import type { Change, ImportPlan } from './import.ts';
import type { Remark } from './marathon.ts';

const DOES: Readonly<Record<Change, string>> = {
  create: 'is new',
  replace: 'changes; its tasks are replaced',
  scale: 'is scaled',
  keep: 'stays as it is',
};

export function describePlan({ apps }: ImportPlan): string[] {
  return apps.map(({ id, change, instances }) => `  ${id}: ${DOES[change]}; instances: ${instances}`);
}

export function describeRemarks(remarks: readonly Remark[]): string[] {
  return remarks.map(({ id, field, why }) => `  ${id}: ${field} ${why}`);
}
