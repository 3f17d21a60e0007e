/** Finds the agent that comes closest to fitting an app, and the single change to the app that would make it fit. */

import type { Constraint } from '../../domain/constraint.ts';
import type { Check, Refusal } from '../../domain/placement.ts';

export interface Nearest {
  readonly agentId: string;
  readonly host: string;
  /** The failed checks. */
  readonly failed: readonly Check[];
  /** Undefined if a single change is not enough. */
  readonly remedy?: Remedy;
}

/** A field of the app, and a value with which the app would have been placed. */
export type Remedy =
  | { readonly field: 'cpus' | 'mem' | 'disk' | 'gpus' | 'ports'; readonly from: number; readonly to: number }
  | { readonly field: 'hostPorts'; readonly from: readonly number[]; readonly to: 'any' }
  | {
      readonly field: 'acceptedResourceRoles';
      readonly from: readonly string[];
      readonly to: readonly string[];
    }
  | { readonly field: 'constraints'; readonly without: Constraint };

/** The minimum in Mesos. */
const MIN_CPUS = 0.001;

/** @returns undefined if no offer was rejected recently */
export function findNearest(refusals: ReadonlyMap<string, Refusal>): Nearest | undefined {
  let best: { rank: readonly number[]; found: Nearest } | undefined;
  for (const [agentId, { host, checks }] of refusals) {
    const failed = checks.filter(({ ok }) => !ok);
    const [first, ...others] = failed;
    const remedy = first && others.length === 0 ? findRemedy(first) : undefined;
    const rank = [
      remedy ? 0 : 1,
      failed.length,
      failed.reduce((total, check) => total + measureGap(check), 0),
    ];
    if (best && !isLess(rank, best.rank)) continue;
    best = { rank, found: { agentId, host, failed, ...(remedy && { remedy }) } };
  }
  return best?.found;
}

/** Describes a remedy for users. */
export function remedyText(remedy: Remedy, host: string): string {
  switch (remedy.field) {
    case 'hostPorts':
      return `any host port instead of ${remedy.from.join(', ')} would fit on ${host}`;
    case 'acceptedResourceRoles':
      return `acceptedResourceRoles: ${remedy.to.join(', ')} instead of ${remedy.from.join(', ')} would fit on ${host}`;
    case 'constraints':
      return `without the constraint ${remedy.without.join(' ')} it would fit on ${host}`;
    default:
      return `${remedy.field}: ${remedy.to} instead of ${remedy.from} would fit on ${host}`;
  }
}

function findRemedy(check: Check): Remedy | undefined {
  switch (check.stage) {
    case 'policy':
    case 'containerizer':
      return undefined;
    case 'roles':
      return { field: 'acceptedResourceRoles', from: check.accepted, to: check.offered };
    case 'ports': {
      const { missing, wanted, offered } = check;
      if (missing.length === 0) return { field: 'ports', from: wanted, to: offered };
      return offered >= wanted ? { field: 'hostPorts', from: missing, to: 'any' } : undefined;
    }
    case 'constraints': {
      const [only, ...others] = check.broken;
      return only && others.length === 0 ? { field: 'constraints', without: only.constraint } : undefined;
    }
    default: {
      const { stage, wanted, executor, offered, divided } = check;
      const left = Math.round((offered - executor) * 1000) / 1000;
      const to = stage === 'gpus' ? Math.floor(left) : left;
      const least = stage === 'cpus' ? MIN_CPUS : 0;
      if (divided || to < least) return undefined;
      return { field: stage, from: Math.round((wanted - executor) * 1000) / 1000, to };
    }
  }
}

/** @returns the missing share, from 0 (almost enough) to 1 (nothing offered) */
function measureGap(check: Check): number {
  const { stage } = check;
  if (stage === 'policy' || stage === 'containerizer' || stage === 'roles' || stage === 'constraints')
    return 1;
  if (check.stage === 'ports' && check.missing.length > 0) return check.missing.length / check.wanted;
  return Math.max(0, check.wanted - check.offered) / Math.max(check.wanted, 1e-9);
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}
