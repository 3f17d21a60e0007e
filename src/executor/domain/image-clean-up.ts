/** Decides which of the images that executors pulled on this agent may be removed. */

import type { ImagePolicy } from './image-policy.ts';

/** An image that an executor pulled. */
export interface PulledImage {
  /** The name of the pull; the id, `sha256:…`, if a later pull gave the name to another image. */
  readonly image: string;
  /** The id; undefined while the first pull is under way. */
  readonly id: string | undefined;
  /** When a task last needed it or a container last had it, in milliseconds since the epoch. */
  readonly lastUsed: number;
}

export interface CleanUpSettings {
  readonly unusedMs: number;
  readonly maxDiskPercent: number;
  readonly keep: readonly string[];
}

const DAY_MS = 86_400_000;
const DEFAULT_UNUSED_DAYS = 30;
const DEFAULT_MAX_DISK_PERCENT = 85;
/** A task may have been launched with an image used more recently, or be about to be. */
const RECENT_MS = 3_600_000;

/** @returns undefined if the policy keeps all images */
export function cleanUpSettings({ images = {} }: ImagePolicy): CleanUpSettings | undefined {
  if (images.cleanUp === false) return undefined;
  return {
    unusedMs: (images.unusedDays ?? DEFAULT_UNUSED_DAYS) * DAY_MS,
    maxDiskPercent: images.maxDiskPercent ?? DEFAULT_MAX_DISK_PERCENT,
    keep: images.keep ?? [],
  };
}

/**
 * The images that may be removed, the least recently used first.
 * @param inUse ids of the images of all containers, running or not
 */
export function removableImages(
  all: readonly PulledImage[],
  inUse: ReadonlySet<string>,
  { keep }: CleanUpSettings,
  now: number,
): PulledImage[] {
  return all
    .filter(({ image, id, lastUsed }) => {
      const isUsed = id !== undefined && inUse.has(id);
      return !isUsed && now - lastUsed > RECENT_MS && !keep.some((name) => isNamed(image, name));
    })
    .toSorted((a, b) => a.lastUsed - b.lastUsed);
}

/** True if the image was not used for the time after which it is removed at any share of the disk. */
export function isExpired({ lastUsed }: PulledImage, { unusedMs }: CleanUpSettings, now: number): boolean {
  return now - lastUsed > unusedMs;
}

/** @param name of the policy's `keep` */
function isNamed(image: string, name: string): boolean {
  if (name.endsWith('*')) return image.startsWith(name.slice(0, -1));
  return image === name || image.startsWith(`${name}:`) || image.startsWith(`${name}@`);
}
