/** An image of a bundle, loaded into the Docker of a host. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import { variant } from '../../stored/record.ts';
import type { ResourceKind } from './resource.ts';

export interface ImageResource {
  readonly kind: 'image';
  /** With a tag, as tasks name it: `redis:7`. */
  readonly name: string;
  /** SHA-256 of its archive, hex. */
  readonly sha256: string;
  /** Size of the archive. */
  readonly bytes: number;
}

/** Not in the journal: an image belongs to Docker, which removes it when it cleans up. */
export const imageKind: ResourceKind<ImageResource> = {
  kind: 'image',
  stored: variant<ImageResource>('image', { name: z.string(), sha256: z.string(), bytes: z.number() }),
  id: ({ name }) => `image:${name}`,
  // Every probe lists the images that mesosup has loaded.
  targets: () => ({}),
  diff(resource, { facts }) {
    const { name, sha256, bytes } = resource;
    if (facts.mesosup.images?.includes(sha256)) return undefined;
    const size = `${Math.max(1, Math.round(bytes / 1e6))} MB`;
    return {
      id: `image:${name}`,
      action: 'create',
      title: `image ${name}: load (${size})`,
      diff: [],
      resource,
    };
  },
  keep: () => [],
  steps: ({ name, sha256 }) => [`load_image ${quote(name)} ${quote(sha256)}`],
};
