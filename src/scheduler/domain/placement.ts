/** Why an agent does or doesn't do for an app: what was looked at, stage by stage, and what came of it. */

import type { Offer } from '../../mesos/types.ts';
import type { Constraint } from './constraint.ts';

export const SCALARS = ['cpus', 'mem', 'disk', 'gpus'] as const;
type Scalar = (typeof SCALARS)[number];
/** Amounts in thousandths, as Mesos reckons. */
export type Scalars = Record<Scalar, number>;

/** What an offer was looked at for, in this order. */
export const STAGES = ['roles', ...SCALARS, 'ports', 'constraints'] as const;
export type Stage = (typeof STAGES)[number];

/** One stage of the evaluation of an offer for an app. Amounts as they are written in the app. */
export type Check =
  /** For whom resources may be reserved that the app takes, and for whom those are that were offered. */
  | {
      readonly stage: 'roles';
      readonly ok: boolean;
      readonly accepted: readonly string[];
      readonly offered: readonly string[];
    }
  | {
      readonly stage: Scalar;
      readonly ok: boolean;
      /** With what its executor takes, where none of ours is on the agent yet. */
      readonly wanted: number;
      readonly executor: number;
      readonly offered: number;
      /** There is enough for the executor, but not of one role. */
      readonly divided?: boolean;
    }
  | {
      readonly stage: 'ports';
      readonly ok: boolean;
      readonly wanted: number;
      readonly offered: number;
      /** Of the host ports the app insists on, those that were not offered. */
      readonly missing: readonly number[];
    }
  | { readonly stage: 'constraints'; readonly ok: boolean; readonly broken: readonly BrokenConstraint[] };

export interface BrokenConstraint {
  readonly constraint: Constraint;
  /** What the agent has in the field; undefined where it has none. */
  readonly value?: string | undefined;
}

/** Why an agent's offer did not do. */
export interface Refusal {
  readonly host: string;
  /** The first thing that was missing, in words. */
  readonly reason: string;
  readonly checks: readonly Check[];
  readonly offer: Offer;
  readonly at: number;
}

/** Agents remembered for each waiting app: enough to say why, bounded however many agents there are. */
export const MAX_REFUSALS = 50;

/** Of the offers that were looked at for an app since it began to wait. */
export interface OfferCounts {
  processed: number;
  /** By the first stage that was not passed. */
  readonly refused: Map<Stage, number>;
  lastUsedAt?: number;
  lastUnusedAt?: number;
}

/** What of a stage was missing, in words. */
export function reasonOf(check: Check): string {
  switch (check.stage) {
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
