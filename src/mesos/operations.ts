import type { OfferOperation, TaskInfo } from './types.ts';

/** The tasks that the operations of an ACCEPT launch. */
export function launchedTasks(operations: readonly OfferOperation[]): TaskInfo[] {
  return operations.flatMap((one) => (one.type === 'LAUNCH' ? one.launch.task_infos : []));
}
