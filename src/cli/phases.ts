/** Steps that all changes by phases share: the rotation of secrets, and changes of certificates. */

import type { LoadedCluster } from '../cluster/edge/load.ts';
import { type RunFlags, type RunningCommand, runChange } from './change-command.ts';
import { withSession } from './cluster-session.ts';
import { confirm } from './confirm.ts';

/** Asks whether to go through the phases, unless `--yes` has answered. @returns false if the user declined */
export async function confirmPhases(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
  phases: number,
): Promise<boolean> {
  if (flags.yes) return true;
  const isSure = await withSession(command, loaded, flags, ({ screen }) =>
    confirm(`Go through ${phases === 1 ? 'this phase' : `these ${phases} phases`}?`, screen),
  );
  if (!isSure) command.log('Nothing was changed.');
  return isSure;
}

/** Runs the installer for a phase, whose settings are in the state of the cluster. @returns false if a host failed */
export async function runPhase(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
): Promise<boolean> {
  const done = await runChange(
    command,
    loaded,
    { ...flags, yes: true },
    { intent: { command: 'install', start: false }, allowAgentReplace: false },
  );
  return done.troubles.length === 0 && done.leftOut.length === 0;
}
