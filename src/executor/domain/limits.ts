/** The operator's limits for values that tasks may choose. */

import type { DockerOption } from './docker-options.ts';
import { listOf, notAKey, type ObjectOf, objectOf, text, wholeNumber } from './json-shape.ts';

const MAX_MIB = 1e9;
const MAX_COUNT = Number.MAX_SAFE_INTEGER;

/** MiB */
export const shmSize = { shape: wholeNumber(1, MAX_MIB), optional: true } as const;
export const pidsLimit = { shape: wholeNumber(1, MAX_COUNT), optional: true } as const;

const hardLimit = {
  /** As in `ulimit` of Docker: `nofile`, `nproc` … */
  name: { shape: text, optional: false },
  hard: { shape: wholeNumber(0, MAX_COUNT), optional: false },
} as const;

const limitFields = {
  pidsLimit,
  shmSize,
  ulimits: { shape: listOf(objectOf(hardLimit, { unknown: notAKey })), optional: true },
} as const;

export const limitsShape = objectOf(limitFields, { unknown: notAKey });

export type Limits = ObjectOf<typeof limitFields>;

/** @returns the problem of an option that exceeds a limit */
export function limitProblem({ name, value = '' }: DockerOption, limits: Limits): string | undefined {
  switch (name) {
    case 'pids-limit':
      // Docker reads 0 as unlimited.
      return exceeds(wholeOf(value) || undefined, limits.pidsLimit)
        ? tooMuch(name, value, limits.pidsLimit)
        : undefined;
    case 'shm-size': {
      const most = limits.shmSize;
      const bytes = bytesOf(value);
      const isOver = exceeds(bytes, most === undefined ? undefined : most * 1024 * 1024);
      return isOver ? tooMuch(name, value, `${most} MiB`) : undefined;
    }
    case 'ulimit': {
      const [, ulimit = '', soft = '', hard = soft] = /^([^=]*)=([^:]*)(?::(.*))?$/.exec(value) ?? [];
      const most = limits.ulimits?.find((limit) => limit.name === ulimit)?.hard;
      const isOver = exceeds(wholeOf(soft), most) || exceeds(wholeOf(hard), most);
      return isOver ? tooMuch(`${name} ${ulimit}`, value, most) : undefined;
    }
    default:
      return undefined;
  }
}

function tooMuch(name: string, value: string, most: number | string | undefined): string {
  return `The ${name} "${value}" of the container is above ${most} (limits)`;
}

/** @param amount undefined if it is unlimited, or in a form that only Docker understands */
function exceeds(amount: number | undefined, most: number | undefined): boolean {
  return most !== undefined && (amount === undefined || amount > most);
}

function wholeOf(value: string): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Reads a size as Docker does. 0 means Docker's default. */
function bytesOf(value: string): number | undefined {
  const [, amount, unit = 'b'] = /^(\d{1,15})([bkmgt])?$/i.exec(value) ?? [];
  return amount === undefined ? undefined : Number(amount) * 1024 ** 'bkmgt'.indexOf(unit.toLowerCase());
}
