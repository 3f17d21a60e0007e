import type { LoadedCluster } from '../cluster/edge/load.ts';
import type { KeptSecrets } from '../cluster/rotation.ts';
import { MesosupError } from '../errors/mesosup-error.ts';

/** Reads the stored secrets of a cluster. @throws MesosupError if this machine has none */
export async function keptSecretsOf({ cluster, state }: LoadedCluster): Promise<KeptSecrets> {
  const kept = await state.keptSecrets();
  if (kept) return kept;
  throw new MesosupError(`${state.directory} has no secrets of ${cluster.name}`, {
    remedy: 'Run the command on the machine that installed the cluster, or name its directory with --state.',
  });
}
