/** Opens a bundle for an installation: checks all of it, and copies its package files into the cache of this machine. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import { type BundledPayload, type BundleManifest, bundledKey } from '../bundle/manifest.ts';
import { readBundle } from '../edge/bundle-file.ts';
import type { Facts } from '../facts.ts';
import { lockSystem } from '../locked-versions.ts';
import type { Plan, Problem } from '../plan.ts';
import type { ImageResource } from '../resources/image.ts';
import type { Session } from './session.ts';

/** @throws MesosupError for a bundle that is damaged, or made with another mesosup */
export async function openBundle(
  session: Session,
  file: string,
  own: BundledPayload,
): Promise<BundleManifest> {
  return readBundle(file, async (manifest, sha256) => {
    if (sha256 === manifest.payload.sha256) {
      refuseOtherProgram(file, manifest.payload, own);
      return undefined;
    }
    if (manifest.images?.some((one) => one.sha256 === sha256)) return session.packages.receiveImage(sha256);
    const found = Object.values(manifest.systems)
      .flat()
      .find((one) => one.sha256 === sha256);
    return found && session.packages.receive(found);
  });
}

function refuseOtherProgram(file: string, bundled: BundledPayload, own: BundledPayload): void {
  if (bundled.sha256 === own.sha256) return;
  throw new MesosupError(
    `the bundle ${file} was made with mesosup ${bundled.version}, and this is mesosup ${own.version}`,
    {
      path: file,
      remedy: `Install with mesosup ${bundled.version}, or make a new bundle with this one.`,
    },
  );
}

/** Returns the content of a key. @throws MesosupError if the bundle lacks it */
export function keyIn(manifest: BundleManifest, url: string): Buffer {
  const content = bundledKey(manifest, url);
  if (content !== undefined) return Buffer.from(content, 'base64');
  throw new MesosupError(`the bundle lacks the key at ${url}\nNothing was changed.`, {
    remedy: 'Make a new bundle from this cluster file with: mesosup bundle',
  });
}

/** Lists what the plan needs, and the bundle lacks. */
export function bundleProblems(
  manifest: BundleManifest,
  plan: Plan,
  facts: ReadonlyMap<string, Facts>,
): Problem[] {
  const remedy = 'Make a new bundle from this cluster file, with hosts of this system, with: mesosup bundle';
  return plan.hosts.flatMap(({ host, items }): Problem[] => {
    const own = facts.get(host);
    if (own === undefined || !items.some(({ resource }) => resource?.kind === 'package')) return [];
    const system = lockSystem(own);
    const lacking = (message: string): Problem => ({
      host,
      check: 'bundle',
      message,
      remedy,
      severity: 'error',
    });
    if (!Object.hasOwn(manifest.systems, system))
      return [lacking(`the bundle has no packages for ${system}`)];
    const keys = items.flatMap(({ resource }) =>
      resource?.kind === 'apt-key' && 'url' in resource.source ? [resource.source.url] : [],
    );
    const lost = keys.filter((url) => bundledKey(manifest, url) === undefined);
    const obstacles = (own.apt?.obstacles ?? []).filter(({ kind }) => kind !== 'held' && kind !== 'pinned');
    return [
      ...lost.map((url) => lacking(`the bundle has no key at ${url}`)),
      ...obstacles.map(({ name }) =>
        lacking(`the bundle has no ${name} for ${system} that can be installed`),
      ),
      ...(own.apt?.failure ? [lacking(`apt can't use the bundle: ${own.apt.failure}`)] : []),
    ];
  });
}

export function imagesOf(manifest: BundleManifest | undefined): ImageResource[] {
  return (manifest?.images ?? []).map((image) => ({ kind: 'image', ...image }));
}
