/**
 * Removes a host that answers from its cluster: its agent is drained, its master and scheduler stop, the other members
 * forget it, and the host is uninstalled.
 */

import type { ClusterHost } from '../cluster/cluster.ts';
import { isMember } from '../install/member-change.ts';
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
  host: Pick<ClusterHost, 'name' | 'roles'>,
  { yes, purge }: { readonly yes: boolean; readonly purge: boolean },
  forget: () => Promise<void>,
  run: (intent: Intent, yes: boolean) => Promise<Done>,
): Promise<boolean> {
  const { name, roles } = host;
  let isSure = yes;
  const steps: Intent[] = [
    ...(roles.includes('agent') || isMember(host)
      ? [{ command: 'drain', host: name, retire: true } as const]
      : []),
    ...(isMember(host)
      ? [{ command: 'install', start: false, member: { kind: 'leaves', host: name } } as const]
      : []),
    { command: 'uninstall', purge, only: [name] },
  ];
  for (const step of steps) {
    const { changes, isDone } = await run(step, isSure);
    if (!isDone) return false;
    // Without a change nothing was asked: the master does not know the agent.
    isSure ||= changes > 0;
  }
  await forget();
  return true;
}
