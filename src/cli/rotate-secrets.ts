/** The rotation of secrets: each of its phases is a run of the installer with the secrets of the phase. */

import { randomBytes } from 'node:crypto';
import { complete } from '../cluster/edge/cluster-state.ts';
import type { LoadedCluster } from '../cluster/edge/load.ts';
import {
  beginRotation,
  type KeptSecrets,
  namesIn,
  nextPhase,
  ROTATABLE,
  remainingPhases,
} from '../cluster/rotation.ts';
import {
  generateSecret,
  importedOf,
  STORED_SECRET_NAMES,
  type StoredSecretName,
} from '../cluster/secrets.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { describePayload } from '../install/edge/payload.ts';
import { sha256 } from '../install/operations/prepare.ts';
import { type PhasePlan, planPhases, refusedRotations } from '../install/rotation-phases.ts';
import { didYouMean } from '../text/suggest.ts';
import type { RunFlags, RunningCommand } from './change-command.ts';
import { withSession } from './cluster-session.ts';
import { confirmPhases, runPhase } from './phases.ts';
import { readyCluster } from './ready-cluster.ts';

type Refused = Readonly<Partial<Record<StoredSecretName, string>>>;

/** @throws UsageError for unknown names, and for secrets that can't be rotated */
export function chooseSecrets(words: readonly string[], all: boolean, refused: Refused): StoredSecretName[] {
  if (all && words.length > 0) throw new UsageError('--all rotates all secrets: remove the names, or --all');
  if (all) return ROTATABLE.filter((name) => refused[name] === undefined);
  if (words.length === 0)
    throw new UsageError('no secret is named', {
      remedy: 'Name some of: mesosup secrets list. Or rotate all of them with --all.',
    });
  const names = words.map((word) => {
    const name = STORED_SECRET_NAMES.find((one) => one === word);
    if (name === undefined)
      throw new UsageError(`there is no secret "${word}"${didYouMean(word, STORED_SECRET_NAMES)}`, {
        remedy: 'List the secrets with: mesosup secrets list',
      });
    const why = refused[name];
    if (why !== undefined) throw new UsageError(`${name} can't be rotated without an outage: ${why}`);
    return name;
  });
  return [...new Set(names)];
}

/**
 * Begins a rotation with new values, or returns the one that is in progress.
 * @throws UsageError if the one in progress is of other secrets
 */
export function beginOrResume(kept: KeptSecrets, names: readonly StoredSecretName[]): KeptSecrets {
  if (kept.rotation) {
    const present = namesIn(kept.rotation.others);
    if (names.every((name) => present.includes(name))) return kept;
    throw new UsageError(`the rotation of ${present.join(', ')} is not complete`, {
      remedy: `Complete it first: mesosup secrets rotate ${present.join(' ')}`,
    });
  }
  const fresh = names.map((name) => [name, generateSecret((bytes) => randomBytes(bytes))] as const);
  return beginRotation(kept, Object.fromEntries(fresh));
}

/** What a rotation does. */
export interface RotationPlan {
  /** The secrets when the rotation has begun. */
  readonly wanted: KeptSecrets;
  readonly phases: readonly PhasePlan[];
  readonly refused: Refused;
}

/**
 * Plans all phases. A rotation begins only in a healthy cluster in which nothing else changes.
 * @throws MesosupError
 * @throws UsageError as `chooseSecrets` and `beginOrResume`
 */
export function planRotation(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags & { readonly all: boolean },
  kept: KeptSecrets,
  words: readonly string[],
): Promise<RotationPlan> {
  return withSession(command, loaded, flags, async ({ session, program }) => {
    const { cluster, templates } = session;
    const why = 'all hosts must have the new secrets before the old ones are withdrawn.';
    const facts = await readyCluster({ session, program }, { why, resumes: kept.rotation !== undefined });
    // A rotation that has begun goes on.
    const hasOwnAgents = importedOf(complete(kept), 'agent').length === 0;
    const refused = refusedRotations(cluster, kept.rotation ? new Map() : facts, hasOwnAgents);
    const wanted = beginOrResume(kept, chooseSecrets(words, flags.all, refused));
    const payload = await describePayload(program.root);
    const remaining = remainingPhases(wanted, Date.now()).map((one) => ({
      phase: one.phase,
      secrets: complete(one.kept),
    }));
    const phases = planPhases({ cluster, facts, templates, payload, sha256 }, complete(kept), remaining);
    return { wanted, phases, refused };
  });
}

/**
 * Goes through all phases that remain. What is where is in the state of the cluster before any host changes.
 * @returns false if the user declined, or a host failed
 */
export async function completeRotation(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
  wanted: KeptSecrets,
  phases: number,
): Promise<boolean> {
  const { state } = loaded;
  if (!(await confirmPhases(command, loaded, flags, phases))) return false;
  let now = wanted;
  if ((await state.keptSecrets())?.rotation === undefined) await state.keepSecrets(now);
  while (now.rotation) {
    const { phase } = now.rotation;
    command.log(`\n${phase}`);
    if (!(await runPhase(command, loaded, flags))) return false;
    const stored = await state.keptSecrets();
    // Another command may have completed it.
    if (stored?.rotation?.phase !== phase) return stored?.rotation === undefined;
    now = nextPhase(stored, Date.now());
    await state.keepSecrets(now);
  }
  return true;
}
