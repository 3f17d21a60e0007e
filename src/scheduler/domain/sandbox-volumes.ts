/**
 * Volumes with a relative hostPath. As in Mesos, it is a path in the sandbox of the task. In earlier releases it was the name
 * of a volume of Docker: apps of those releases keep that volume, so that none loses its data, until their relative paths
 * change.
 */

import { type App, imageOf } from './app.ts';
import type { AppDefinition } from './app-schema.ts';
import type { FieldError } from './field-errors.ts';

type Definition = Pick<AppDefinition, 'container'>;
type Volume = NonNullable<AppDefinition['container']>['volumes'][number];

/** The sandbox in a container, as in Mesos. */
const SANDBOX = '/mnt/mesos/sandbox';

export function isRelative({ hostPath }: Volume): boolean {
  return hostPath !== undefined && !hostPath.startsWith('/');
}

/** @returns the path in the container; a relative one is in the sandbox */
export function targetOf({ containerPath }: Volume): string {
  return containerPath.startsWith('/') ? containerPath : `${SANDBOX}/${namesIn(containerPath).join('/')}`;
}

/** @returns the names in a path */
export function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** Decides for the next version of an app; it changes only with its relative paths. @param last the version before */
export function nextSandboxVolumes(definition: Definition, last: App | undefined): App['sandboxVolumes'] {
  const relative = relativePaths(definition);
  if (relative.length === 0) return undefined;
  const isKept =
    last && last.sandboxVolumes !== true && relativePaths(last).join('\0') === relative.join('\0');
  return isKept ? undefined : true;
}

function relativePaths(definition: Definition): string[] {
  if (imageOf(definition) === undefined) return [];
  return (definition.container?.volumes ?? []).filter(isRelative).map(({ hostPath = '' }) => hostPath);
}

/** Names the volumes of Docker that an app has kept. */
export function keptVolumes(app: Pick<App, 'container' | 'sandboxVolumes' | 'containerizer'>): FieldError[] {
  if (app.sandboxVolumes || app.containerizer || imageOf(app) === undefined) return [];
  return (app.container?.volumes ?? []).flatMap((volume, i) => {
    if (!isRelative(volume)) return [];
    const error =
      'is still the name of a volume of Docker, as in earlier releases: use docker.parameters with the key volume ' +
      `and the value ${volume.hostPath}:${volume.containerPath}; for new apps, a relative path is in the sandbox`;
    return [{ path: ['container', 'volumes', i, 'hostPath'], error }];
  });
}
