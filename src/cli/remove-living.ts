/** Removes a host that answers from its cluster, in two runs: its agent is drained, then the host is uninstalled. */

import type { ClusterHost } from '../cluster/cluster.ts';
import type { Intent } from '../install/operations/prepare.ts';

/** What a run on the host has done. */
export interface Done {
  readonly changes: number;
  /** False: the user declined, or something failed. */
  readonly isDone: boolean;
}

/**
 * @param run makes a run; with `yes` it asks no question
 * @param forget removes the host from the cluster file
 * @returns false if the host is not removed
 */
export async function removeLiving(
  { name, roles }: Pick<ClusterHost, 'name' | 'roles'>,
  { yes, purge }: { readonly yes: boolean; readonly purge: boolean },
  forget: () => Promise<void>,
  run: (intent: Intent, yes: boolean) => Promise<Done>,
): Promise<boolean> {
  let isSure = yes;
  if (roles.includes('agent')) {
    const { changes, isDone } = await run({ command: 'drain', host: name, retire: true }, yes);
    if (!isDone) return false;
    // Without a change nothing was asked: the master does not know the agent.
    isSure ||= changes > 0;
  }
  const { isDone } = await run({ command: 'uninstall', purge, only: [name] }, isSure);
  if (isDone) await forget();
  return isDone;
}
