/** Apps that may never run twice. Source: SchedulingValidation of Marathon 1.11. */

import type { FieldPath } from './field-errors.ts';

interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
  readonly instances: number;
  readonly upgradeStrategy: { readonly minimumHealthCapacity: number; readonly maximumOverCapacity: number };
}

/** Marathon's label. */
const LABEL = 'MARATHON_SINGLE_INSTANCE_APP';

export function* findSingleInstanceProblems({
  labels,
  instances,
  upgradeStrategy,
}: Labelled): Generator<{ path: FieldPath; message: string }> {
  if (labels[LABEL] !== 'true') return;
  const reason = `with the label ${LABEL}`;
  if (instances > 1) yield { path: ['instances'], message: `must be at most 1 ${reason}` };
  for (const name of ['minimumHealthCapacity', 'maximumOverCapacity'] as const) {
    if (upgradeStrategy[name] === 0) continue;
    yield { path: ['upgradeStrategy', name], message: `must be 0 ${reason}: the old instance ends first` };
  }
}
