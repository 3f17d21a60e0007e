/** Changes the certificates of a running cluster by phases. Each phase is a run of the installer. */

import {
  beginAuthority,
  type CertificatePhase,
  type KeptCertificates,
  nextAuthorityPhase,
  remainingAuthorityPhases,
  remainingStates,
  sketchedFiles,
} from '../cluster/certificates.ts';
import { complete } from '../cluster/edge/cluster-state.ts';
import type { LoadedCluster } from '../cluster/edge/load.ts';
import { MesosupError, UsageError } from '../errors/mesosup-error.ts';
import { describePayload } from '../install/edge/payload.ts';
import { leavesFor, newAuthority, renewAll } from '../install/operations/certificates.ts';
import { plainExecutors } from '../install/operations/plain-executors.ts';
import { sha256 } from '../install/operations/prepare.ts';
import { type PhasePlan, planPhases } from '../install/rotation-phases.ts';
import { describedObstacle, executorObstacle, type Obstacle, tlsObstacle } from '../install/tls-obstacles.ts';
import type { FactsByHost } from '../install/topology.ts';
import { count } from '../text/count.ts';
import type { RunFlags, RunningCommand } from './change-command.ts';
import { withSession } from './cluster-session.ts';
import { keptSecretsOf } from './kept-secrets.ts';
import { confirmPhases, runPhase } from './phases.ts';
import { readyCluster } from './ready-cluster.ts';

interface Step {
  readonly phase: CertificatePhase;
  /** The certificates in this phase, before it issues new ones. */
  readonly sketch: KeptCertificates;
  /** Makes what is stored before the hosts change. @param stored undefined before TLS is enabled */
  readonly enter: (stored: KeptCertificates | undefined) => Promise<KeptCertificates>;
}

export interface CertificateChange {
  /** What changes on hosts. */
  readonly phases: readonly PhasePlan<CertificatePhase>[];
  readonly steps: readonly Step[];
  /** True if an earlier command has begun it. */
  readonly resumes: boolean;
}

/** @throws UsageError, MesosupError if the cluster can't have TLS, or is not ready */
export async function planEnabling(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
): Promise<CertificateChange> {
  refuse(describedObstacle(loaded.cluster), (message, remedy) => new UsageError(message, { remedy }));
  const kept = await loaded.state.certificates();
  const resumes = kept !== undefined;
  return planned(command, loaded, flags, { kept, resumes }, async (facts) => {
    refuse(tlsObstacle(loaded.cluster, facts));
    if (!resumes) refuse(executorObstacle(loaded.cluster, facts));
    const first = kept ?? { state: 'offer', authorities: [await newAuthority(loaded, 1)], leaves: [] };
    return remainingStates(first).map((sketch) => ({
      phase: sketch.state,
      sketch,
      enter: async (stored) => ({ ...(stored ?? first), state: sketch.state }),
    }));
  });
}

/** @throws UsageError without TLS; MesosupError if the cluster is not ready */
export async function planAuthority(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
): Promise<CertificateChange> {
  const kept = await certificatesOf(loaded);
  const resumes = kept.phase !== undefined;
  return planned(command, loaded, flags, { kept, resumes }, async () => {
    const last = kept.authorities.at(-1)?.generation ?? 0;
    const first = resumes ? kept : beginAuthority(kept, await newAuthority(loaded, last + 1));
    return remainingAuthorityPhases(first).map((sketch, at) => ({
      phase: sketch.phase,
      sketch,
      enter: async (stored) => (at === 0 ? first : nextAuthorityPhase(stored ?? first)),
    }));
  });
}

/** @throws as `planAuthority` */
export async function planRenewal(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
): Promise<CertificateChange> {
  const kept = await certificatesOf(loaded);
  return planned(command, loaded, flags, { kept, resumes: false }, async () => [
    { phase: 'renew', sketch: kept, enter: (stored) => renewAll(loaded, stored ?? kept) },
  ]);
}

/** @throws UsageError in a cluster without TLS */
export async function certificatesOf({ cluster, state }: LoadedCluster): Promise<KeptCertificates> {
  const kept = await state.certificates();
  if (kept) return kept;
  throw new UsageError(`${cluster.name} has no TLS, so it has no certificates`, {
    remedy: 'Turn it on with: mesosup certs enable',
  });
}

function planned(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
  { kept, resumes }: { readonly kept: KeptCertificates | undefined; readonly resumes: boolean },
  stepsFor: (facts: FactsByHost) => Promise<readonly Step[]>,
): Promise<CertificateChange> {
  return withSession(command, loaded, flags, async ({ session, program }) => {
    const { cluster, templates } = session;
    const secrets = complete(await keptSecretsOf(loaded));
    const why = 'all hosts must complete a phase before the next one begins.';
    const facts = await readyCluster({ session, program }, { why, resumes });
    const steps = await stepsFor(facts);
    const wanted = leavesFor(cluster, facts);
    const before = kept ? { ...secrets, tls: sketchedFiles(kept, wanted) } : secrets;
    const phases = planPhases(
      { cluster, facts, templates, payload: await describePayload(program.root), sha256 },
      before,
      steps.map(({ phase, sketch }) => ({
        phase,
        secrets: { ...secrets, tls: sketchedFiles(sketch, wanted, phase === 'renew' ? ' again' : '') },
      })),
    );
    return { phases, steps, resumes };
  });
}

function refuse(
  obstacle: Obstacle | undefined,
  make = (message: string, remedy: string): Error => new MesosupError(message, { remedy }),
): void {
  if (obstacle) throw make(obstacle.message, obstacle.remedy);
}

/**
 * Goes through all phases. The certificates of a phase are in the state of the cluster before any host changes.
 * @returns false if the user declined, or a host failed
 * @throws MesosupError if executors would lose their agents
 */
export async function completeChange(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
  { steps }: CertificateChange,
): Promise<boolean> {
  const { state } = loaded;
  if (!(await confirmPhases(command, loaded, flags, steps.length))) return false;
  for (const { phase, enter } of steps) {
    command.log(`\n${phase}`);
    if (phase === 'require') await refusePlainExecutors(command, loaded, flags);
    await state.keepCertificates(await enter(await state.certificates()));
    if (!(await runPhase(command, loaded, flags))) return false;
  }
  const stored = await state.certificates();
  if (stored?.phase === 'withdraw') await state.keepCertificates(nextAuthorityPhase(stored));
  return true;
}

async function refusePlainExecutors(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
): Promise<void> {
  const found = await withSession(command, loaded, flags, ({ session }) => plainExecutors(session));
  if (found.size === 0) return;
  const lines = [...found].map(([host, number]) => `  ${host}: ${count(number, 'executor')}`);
  throw new MesosupError(
    `executors of Mesos that were started without TLS still run, and their tasks would end:\n${lines.join('\n')}`,
    { remedy: 'Restart the apps with commands on these hosts, then run the same command again.' },
  );
}
