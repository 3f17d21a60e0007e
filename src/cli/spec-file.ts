/** The cluster file of commands that edit it. */

import type { LoadedCluster } from '../cluster/edge/load.ts';
import { UsageError } from '../errors/mesosup-error.ts';

/** @throws UsageError for a cluster that is described by flags only */
export function fileOf({ file, cluster }: LoadedCluster): NonNullable<LoadedCluster['file']> {
  if (file) return file;
  throw new UsageError(`the cluster ${cluster.name} has no cluster file here that could be edited`, {
    remedy:
      'Name it with --file. If the cluster was installed with --hosts, write a file first: mesosup init',
  });
}
