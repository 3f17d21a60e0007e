/** Shows a change of certificates, makes it, and reports it. */

import { AUTHORITY_EFFECTS, type CertificatePhase, TLS_EFFECTS } from '../cluster/certificates.ts';
import type { LoadedCluster } from '../cluster/edge/load.ts';
import { EXIT } from '../errors/mesosup-error.ts';
import { type PhasePlan, renderPlans } from '../install/rotation-phases.ts';
import { type CertificateChange, completeChange } from './change-certificates.ts';
import type { RunFlags, RunningCommand } from './change-command.ts';

/** The `--json` output. */
export interface CertificateReport {
  readonly cluster: string;
  readonly phases: readonly PhasePlan<CertificatePhase>[];
  /** False: nothing was changed, or not all phases are complete. */
  readonly complete: boolean;
}

/** Two phases of different changes have the same name. */
const EFFECTS = {
  enable: { ...AUTHORITY_EFFECTS, ...TLS_EFFECTS, renew: '' },
  'rotate-ca': { ...TLS_EFFECTS, ...AUTHORITY_EFFECTS, renew: '' },
  renew: {
    ...TLS_EFFECTS,
    ...AUTHORITY_EFFECTS,
    renew: 'services have new certificates of the same authority',
  },
} satisfies Record<string, Readonly<Record<CertificatePhase, string>>>;

/** @param afterwards what people have to do, a line each */
export async function changeCertificates(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags & { readonly 'dry-run': boolean },
  kind: keyof typeof EFFECTS,
  change: CertificateChange,
  afterwards: readonly string[],
): Promise<CertificateReport> {
  const { phases } = change;
  const report = { cluster: loaded.cluster.name, phases };
  if (change.resumes) command.log('Continues what an earlier command has begun.');
  command.log(renderPlans(phases, EFFECTS[kind]));
  for (const line of afterwards) command.log(`Afterwards: ${line}`);
  if (flags['dry-run']) {
    if (phases.some(({ hosts }) => hosts.length > 0)) process.exitCode = EXIT.changes;
    return { ...report, complete: false };
  }
  return { ...report, complete: await completeChange(command, loaded, flags, change) };
}
