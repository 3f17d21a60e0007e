/** Saves images of this machine's Docker for a bundle. */

import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import { DockerEngine } from '../docker/engine.ts';
import { MesosupError, UsageError } from '../errors/mesosup-error.ts';
import type { BundledImage } from '../install/bundle/manifest.ts';
import type { PackageCache } from '../install/edge/package-cache.ts';

/**
 * Saves each image once: an image that is in the cache already is not saved again.
 * @throws UsageError for an image that Docker does not have, MesosupError if Docker is not available
 */
export async function saveImages(names: readonly string[], cache: PackageCache): Promise<BundledImage[]> {
  const engine = new DockerEngine();
  const saved: BundledImage[] = [];
  try {
    for (const name of new Set(names)) {
      const image = await engine.inspectImage(name);
      const tag = name.includes(':') ? name : `${name}:latest`;
      if (image === undefined) {
        throw new UsageError(`the Docker of this machine has no image ${name}`, {
          remedy: `Pull it first: docker pull ${name}`,
        });
      }
      const file = await cache.image(image.Id, tag, () => engine.saveImage(tag));
      saved.push({ name: tag, ...file });
    }
  } catch (error) {
    if (!(error instanceof DockerError || error instanceof DockerUnavailableError)) throw error;
    throw new MesosupError(`an image can't be saved: ${error.message}`, {
      remedy: 'Check that Docker runs on this machine, or leave out --image.',
      cause: error,
    });
  }
  return saved;
}
