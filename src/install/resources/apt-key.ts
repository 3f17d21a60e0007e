/** A repository's key. Its file is written when the key on the host is missing, different or expired. */

import { z } from 'zod';
import { record, variant } from '../../stored/record.ts';
import type { HostFacts } from '../host-facts.ts';
import type { Item } from '../item.ts';
import { LISTS_STALE } from '../script/places.ts';
import { keepPath, pathId, pathItem, putLines } from './path.ts';
import type { ResourceKind } from './resource.ts';

export interface AptKeyResource {
  readonly kind: 'apt-key';
  readonly path: string;
  readonly source: { readonly url: string } | { readonly file: string };
  readonly fingerprint?: string;
  /** ASCII-armoured or binary key as base64. `edge/keys.ts` adds it when the host lacks the key. */
  readonly content?: string;
}

/** The journal stores it as a file. */
export const aptKeyKind: ResourceKind<AptKeyResource> = {
  kind: 'apt-key',
  stored: variant<AptKeyResource>('apt-key', {
    path: z.string(),
    source: z.union([
      record<{ readonly url: string }>({ url: z.string() }),
      record<{ readonly file: string }>({ file: z.string() }),
    ]),
    fingerprint: z.string().optional(),
    content: z.string().optional(),
  }),
  id: pathId,
  targets: ({ path }) => ({ files: [path] }),
  diff: (resource, { facts }) => diffKey(resource, facts),
  keep: ({ path }) => keepPath('file', path),
  steps({ path, content }) {
    if (content === undefined) throw new TypeError(`the key for ${path} was not fetched`);
    const rights = { owner: 'root', group: 'root', mode: '0644' };
    return [`: >${LISTS_STALE}`, ...putLines(path, rights, Buffer.from(content, 'base64'))];
  },
};

function diffKey(resource: AptKeyResource, facts: HostFacts): Item<AptKeyResource> | undefined {
  const { path, source, fingerprint } = resource;
  const found = facts.files[path];
  const differs = fingerprint !== undefined && found?.keys?.fingerprints.includes(fingerprint) === false;
  const expired = (found?.keys?.expires ?? Number.POSITIVE_INFINITY) <= facts.clock.now;
  if (found?.type === 'file' && !differs && !expired) return undefined;
  const action = found === undefined ? 'create' : 'change';
  return pathItem(resource, action, `${path}: ${action} (key of an apt repository)`, [
    ...(differs ? found.keys.fingerprints.map((one) => `-fingerprint ${one}`) : []),
    ...(expired ? ['-it has expired'] : []),
    `+from ${'url' in source ? source.url : source.file}`,
    ...(fingerprint === undefined ? [] : [`+fingerprint ${fingerprint}`]),
  ]);
}
