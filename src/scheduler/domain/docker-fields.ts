/**
 * Fields of `container.docker` that Marathon does not have: settings of a container, with plain names. Each is optional,
 * and converted to options of `docker create` (decide/tasks/container-options.ts).
 */

import * as z from 'zod';
import { EMPTY, filled, flag, labels, list, wholeNumber } from './app-fields.ts';

const MAX_MIB = 1e9;
const UNLIMITED = -1;

const containerPath = filled.regex(/^\/[^:,]*$/, "must be an absolute path without ':' and ','");
const ulimitValue = wholeNumber(UNLIMITED, Number.MAX_SAFE_INTEGER);

export const ownDockerFields = {
  /** Limits the CPU time to `cpus`; otherwise `cpus` is a weight. Without it, the agent's policy decides. */
  cpuQuota: flag.optional(),
  /** False: the container's first process is the image's, not an init process. */
  init: flag.optional(),
  /** MiB of /dev/shm. */
  shmSize: wholeNumber(1, MAX_MIB).optional(),
  /** Limits of processes. -1: unlimited. */
  ulimits: list(
    z.object({
      name: filled.regex(/^[a-z]+$/, 'must be the name of a limit, for example nofile'),
      soft: ulimitValue,
      hard: ulimitValue,
    }),
    50,
  ).optional(),
  /** Directories in memory. `size` in MiB. */
  tmpfs: list(z.object({ containerPath, size: wholeNumber(1, MAX_MIB).optional() }), 50).optional(),
  /** Working directory of the container's process. */
  workdir: containerPath.optional(),
  /** Where Docker keeps the output; by default in files of a limited size. */
  log: z
    .object(
      { driver: filled.optional(), options: labels.optional() },
      { error: 'must be an object with driver and options' },
    )
    .refine(({ driver, options }) => driver !== undefined || options !== undefined, EMPTY)
    .optional(),
};

/** The types of these fields in an app. */
export type OwnDockerFields = z.output<z.ZodObject<typeof ownDockerFields>>;
