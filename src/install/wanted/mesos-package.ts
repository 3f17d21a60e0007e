/** The package of Mesos, its repository, and dependencies that the package does not declare. */

import type { MesosSource } from '../../cluster/cluster.ts';
import { mesosPackage } from '../layout.ts';
import { installedPackage } from '../package-state.ts';
import type { PackageResource } from '../resources/package.ts';
import type { Resource } from '../resources/registry.ts';
import { meetsVersion, parseDebName } from '../versions.ts';
import { type Context, has, type Part } from './context.ts';
import { aptRepository, wantsRepository } from './repository.ts';

/** Name of the list and the key. */
const MESOS_REPOSITORY = 'mesosup-mesos';

/** ClusterD's package may not declare the first four, and never declares the last, which contains CRAM-MD5. */
const CLUSTERD_LIBRARIES = ['libsvn1', 'libapr1', 'libcurl4', 'libunwind8', 'libsasl2-modules'] as const;

export function mesosPackages(context: Context): Part {
  if (!has(context, 'master') && !has(context, 'agent')) return {};
  const { cluster, own, layout } = context;
  const wanted = packageResource(cluster.mesos);
  if (wanted === undefined) return {};
  const libraries = layout.kind === 'clusterd' ? CLUSTERD_LIBRARIES : ['libsasl2-modules'];
  const found = installedPackage(own, wanted.name);
  const satisfied = found !== undefined && meetsVersion(found.version, wanted.version);
  return {
    repositories: repositories(context, satisfied),
    packages: [...libraries.map((name) => ({ kind: 'package' as const, name })), wanted],
  };
}

/** Undefined if no package is installed. */
export function packageResource(source: MesosSource): PackageResource | undefined {
  const name = mesosPackage(source);
  if (name === undefined || source.kind === 'preinstalled') return undefined;
  if (source.kind !== 'package') {
    return { kind: 'package', name, ...(source.version !== undefined && { version: source.version }) };
  }
  const path = 'url' in source.from ? source.from.url : source.from.file;
  const version = parseDebName(path)?.version;
  return {
    kind: 'package',
    name,
    ...(version !== undefined && { version }),
    file: 'url' in source.from ? source.from : { upload: source.from.file },
    sha256: source.sha256,
  };
}

function repositories(context: Context, satisfied: boolean): Resource[] {
  const { mesos } = context.cluster;
  if (mesos.kind !== 'clusterd' && mesos.kind !== 'mesosphere') return [];
  if (!wantsRepository(context.own, MESOS_REPOSITORY, satisfied)) return [];
  return aptRepository(context, MESOS_REPOSITORY, mesos.repository);
}
