/** The result of checking an agent's offer for an app, stage by stage. */

import type { Offer } from '../../mesos/types.ts';
import type { Constraint } from './constraint.ts';

export const SCALARS = ['cpus', 'mem', 'disk', 'gpus'] as const;
type Scalar = (typeof SCALARS)[number];
/** Amounts in thousandths, the precision of Mesos. */
export type Scalars = Record<Scalar, number>;

/** The stages of checking an offer, in order; `reservation`: the offer has none of the volumes that the app waits for. */
export const STAGES = [
  'policy',
  'containerizer',
  'reservation',
  'roles',
  ...SCALARS,
  'ports',
  'constraints',
] as const;
export type Stage = (typeof STAGES)[number];

/** The result of one stage. Amounts have the units of the app's fields. */
export type Check =
  /** Only for apps that the scheduler's policy forbids. */
  | { readonly stage: 'policy'; readonly ok: boolean; readonly forbidden: string }
  /** Only for tasks of Mesos' own containerizers: what the flags of the agent lack. */
  | { readonly stage: 'containerizer'; readonly ok: boolean; readonly lacks: readonly string[] }
  /** The roles that the app accepts, and the roles of the offered resources. */
  | {
      readonly stage: 'roles';
      readonly ok: boolean;
      readonly accepted: readonly string[];
      readonly offered: readonly string[];
    }
  | {
      readonly stage: Scalar;
      readonly ok: boolean;
      /** Includes the resources of a new shared executor, if the agent runs none. */
      readonly wanted: number;
      readonly executor: number;
      readonly offered: number;
      /** True if the resources suffice for the executor, but only by combining several roles. */
      readonly divided?: boolean;
    }
  | {
      readonly stage: 'ports';
      readonly ok: boolean;
      readonly wanted: number;
      readonly offered: number;
      /** Required host ports that were not offered. */
      readonly missing: readonly number[];
    }
  | { readonly stage: 'constraints'; readonly ok: boolean; readonly broken: readonly BrokenConstraint[] };

export interface BrokenConstraint {
  readonly constraint: Constraint;
  /** The agent's value of the field; undefined if it has none. */
  readonly value?: string | undefined;
}

/** An agent's offer that did not fit, with the reason. */
export interface Refusal {
  readonly host: string;
  /** Describes the first failed check. */
  readonly reason: string;
  readonly checks: readonly Check[];
  readonly offer: Offer;
  readonly at: number;
}

/** Maximum number of refusals recorded for a waiting app, so that memory does not grow with the number of agents. */
export const MAX_REFUSALS = 50;

/** Counts the offers that were tried for an app since it began to wait. */
export interface OfferCounts {
  processed: number;
  /** Number of refused offers by the first failed stage. */
  readonly refused: Map<Stage, number>;
  lastUsedAt?: number;
  lastUnusedAt?: number;
}

/** Describes a failed check. */
export function reasonOf(check: Check): string {
  switch (check.stage) {
    case 'policy':
      return `policy: ${check.forbidden}`;
    case 'containerizer':
      return `containerizer: ${check.lacks.join('; ')}`;
    case 'roles':
      return `roles: ${check.accepted.join(', ')} accepted, ${check.offered.join(', ')} offered`;
    case 'ports': {
      const { missing, wanted, offered } = check;
      if (missing.length > 0) return `ports: ${missing.join(', ')} wanted, not offered`;
      return `ports: ${wanted} wanted, ${offered} offered`;
    }
    case 'constraints':
      return check.broken
        .map(({ constraint, value }) => {
          const has = value === undefined ? 'has no value' : `is ${value}`;
          return `constraint ${constraint.join(' ')}: ${constraint[0]} ${has}`;
        })
        .join('; ');
    default: {
      const { stage, wanted, executor, offered, divided } = check;
      const forExecutor = executor > 0 ? `, including ${executor} for its executor` : '';
      const inParts = divided ? ', split across several roles' : '';
      return `${stage}: ${wanted} wanted${forExecutor}, ${offered} offered${inParts}`;
    }
  }
}
