/** The keys of the agent's policy that concern the files of tasks. */

import { notAKey, type ObjectOf, objectOf, wholeNumber } from './json-shape.ts';

const logFields = {
  /** Bytes after which a new file of the output is begun. */
  maxSize: { shape: wholeNumber(64 * 1024, 1e12), optional: true },
  /** Files of one stream of a task, with the current one. */
  maxFiles: { shape: wholeNumber(2, 1000), optional: true },
} as const;

const sandboxFields = {
  /** Seconds from the end of a task to the removal of its files, on an empty disk. */
  gcDelaySeconds: { shape: wholeNumber(0, 10 * 365 * 86_400), optional: true },
  /** Share of the disk that is to stay free. */
  gcDiskHeadroomPercent: { shape: wholeNumber(0, 100), optional: true },
} as const;

export const sandboxPolicyFields = {
  logs: { shape: objectOf(logFields, { unknown: notAKey }), optional: true },
  sandboxes: { shape: objectOf(sandboxFields, { unknown: notAKey }), optional: true },
} as const;

type SandboxPolicy = ObjectOf<typeof sandboxPolicyFields>;

export interface OutputLimits {
  /** Bytes after which a new file is begun, at the end of a record. */
  maxSize: number;
  /** Number of files of one stream, at least 2. */
  maxFiles: number;
}

/** @param policy undefined if it can't be read */
export function outputLimits(policy: SandboxPolicy | undefined): OutputLimits {
  const { maxSize = 10 * 1024 * 1024, maxFiles = 5 } = policy?.logs ?? {};
  return { maxSize, maxFiles };
}

/** @returns Mesos' defaults for the keys that are missing. Source: src/slave/constants.hpp of Mesos */
export function gcLimits(policy: SandboxPolicy | undefined): { delayMs: number; headroom: number } {
  const { gcDelaySeconds = 7 * 86_400, gcDiskHeadroomPercent = 10 } = policy?.sandboxes ?? {};
  return { delayMs: gcDelaySeconds * 1000, headroom: gcDiskHeadroomPercent / 100 };
}
