/**
 * The manifest of a bundle: everything that an installation without a network needs, with version and SHA-256. Its names
 * and versions get into scripts for hosts, so a manifest with anything else is refused.
 */

import { z } from 'zod';
import { isLockable, isSystem } from '../../cluster/versions-lock.ts';
import type { StoredFile } from '../../stored/file.ts';
import { MismatchError } from '../../stored/mismatch.ts';
import { readerOf } from '../../stored/reader.ts';
import { record } from '../../stored/record.ts';
import { type PackageFile, type Pin, parseControl } from '../package-file.ts';

export interface BundleManifest {
  /** The cluster that it was made for. */
  readonly cluster: string;
  readonly payload: BundledPayload;
  /** By system (`debian-12-amd64`): packages with all dependencies, as for a host that has none of them. */
  readonly systems: Readonly<Record<string, readonly PackageFile[]>>;
  /** Keys of repositories by URL, as base64. */
  readonly keys: Readonly<Record<string, string>>;
  /** Images for the Docker of agents. */
  readonly images?: readonly BundledImage[];
}

export interface BundledPayload {
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface BundledImage extends BundledFile {
  /** With a tag. */
  readonly name: string;
}

/** A file in a bundle, named by its SHA-256. */
export interface BundledFile {
  readonly sha256: string;
  readonly bytes: number;
}

const text = z.string();
const number = z.number();
const packageFile = record<PackageFile>({
  name: text,
  version: text,
  sha256: text,
  bytes: number,
  control: text,
});

const readManifest = readerOf(
  record<BundleManifest>({
    cluster: text,
    payload: record<BundledPayload>({ version: text, sha256: text, bytes: number }),
    systems: z.record(text, z.array(packageFile)),
    keys: z.record(text, text),
    images: z.array(record<BundledImage>({ name: text, sha256: text, bytes: number })).optional(),
  }),
);

export const bundleFile: StoredFile<BundleManifest> = {
  format: 1,
  read: (content) => {
    const manifest = readManifest(content);
    const { payload, systems, images = [] } = manifest;
    if (!isFile(payload)) refuse(['payload']);
    for (const [at, image] of images.entries()) {
      if (!isFile(image) || !IMAGE.test(image.name)) refuse(['images', String(at)]);
    }
    for (const [system, packages] of Object.entries(systems)) {
      if (!isSystem(system)) refuse(['systems', system]);
      for (const [at, one] of packages.entries()) {
        const own = parseControl(one.control);
        const isWhole = own?.name === one.name && own.version === one.version && isSize(one.bytes);
        if (!isWhole || !isLockable(one.name, { ...one, taken: 0 })) refuse(['systems', system, String(at)]);
      }
    }
    return manifest;
  },
};

/** A reference without a digest: see docker/distribution, reference.go. */
const IMAGE = /^[a-z0-9][A-Za-z0-9._:/-]{0,255}:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

function isFile({ sha256, bytes }: BundledFile): boolean {
  return /^[0-9a-f]{64}$/.test(sha256) && isSize(bytes);
}

function isSize(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes > 0;
}

function refuse(path: readonly string[]): never {
  throw new MismatchError('has an unknown value', [...path]);
}

/** Lists the files of a bundle without duplicates, the payload first. */
export function filesOf({ payload, systems, images = [] }: BundleManifest): BundledFile[] {
  const all = [payload, ...images, ...Object.values(systems).flat()];
  return [...new Map(all.map(({ sha256, bytes }) => [sha256, { sha256, bytes }])).values()];
}

/** The versions of a bundle are the only ones that its hosts can take. */
export function bundlePins(packages: readonly PackageFile[]): Pin[] {
  return packages.map(({ name, version, sha256 }) => ({ name, version, sha256 }));
}

/** Returns the key at a URL, as base64; undefined if the bundle lacks it. */
export function bundledKey({ keys }: BundleManifest, url: string): string | undefined {
  return Object.hasOwn(keys, url) ? keys[url] : undefined;
}
