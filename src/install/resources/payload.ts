/** A version of mesosup's programs for hosts, unpacked below `/opt/mesosup`. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import { variant } from '../../stored/record.ts';
import { PAYLOADS } from '../script/places.ts';
import type { ResourceKind } from './resource.ts';

export interface PayloadResource {
  readonly kind: 'payload';
  readonly version: string;
  /** SHA-256 of the archive, hex. */
  readonly sha256: string;
  /** Size of the archive. */
  readonly bytes: number;
  /** Release 0.1.0 saved these two with a plan; they have no effect. */
  readonly file?: string;
  readonly arch?: string;
}

/** Not in the journal: the probe finds the payloads below `/opt/mesosup`. */
export const payloadKind: ResourceKind<PayloadResource> = {
  kind: 'payload',
  stored: variant<PayloadResource>('payload', {
    version: z.string(),
    sha256: z.string(),
    bytes: z.number(),
    file: z.string().optional(),
    arch: z.string().optional(),
  }),
  id: ({ version }) => `payload:${version}`,
  // Every probe lists the payloads.
  targets: () => ({}),
  diff(resource, { facts }) {
    const { version, bytes } = resource;
    if (facts.mesosup.payloads.includes(version)) return undefined;
    const size = `${Math.max(1, Math.round(bytes / 1e6))} MB`;
    const title = `${PAYLOADS}/${version}: unpack (${size}, unless it was sent already)`;
    return { id: `payload:${version}`, action: 'create', title, diff: [], resource };
  },
  keep: () => [],
  steps: ({ version, sha256 }) => [`unpack ${quote(version)} ${quote(sha256)}`],
  remove: (version) => [`discard ${quote(`${PAYLOADS}/${version}`)}`],
  sweep: ({ mesosup }) =>
    mesosup.payloads
      .filter((version) => !mesosup.released.includes(version))
      .map((version) => ({
        id: `payload:${version}`,
        action: 'remove',
        title: `${PAYLOADS}/${version}: remove`,
        diff: [],
      })),
};
