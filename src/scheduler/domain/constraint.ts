/**
 * `[field, operator, value?]`; the field is `hostname`, `@hostname`, `@region`, `@zone` or the name of an agent's
 * attribute. Source of the semantics: Marathon's Constraints and their documentation.
 */

import * as z from 'zod';
import { toMilli } from '../../mesos/resources.ts';
import { findPatternProblem } from './patterns.ts';

/** In this order: Marathon 0.1 sent the indexes of the first five instead of the names. */
const OPERATORS = ['UNIQUE', 'LIKE', 'CLUSTER', 'GROUP_BY', 'UNLIKE', 'MAX_PER', 'IS'] as const;
type Operator = (typeof OPERATORS)[number];

export type Constraint = readonly [field: string, operator: Operator, value?: string];

const SHAPE = 'must be [field, operator, value]';

export const constraintSchema = z
  .array(z.union([z.string(), z.number()]), { error: SHAPE })
  .min(2, SHAPE)
  .max(3, SHAPE)
  .transform((parts, context): Constraint => {
    const [field = '', operator, value] = parts.map(String);
    const known = OPERATORS.find((name, i) => name === operator?.toUpperCase() || String(i) === operator);
    if (!known) {
      context.addIssue(`has an unknown operator '${operator}': expected one of ${OPERATORS.join(', ')}`);
      return z.NEVER;
    }
    const problem = valueProblem(known, value);
    if (problem) {
      context.addIssue(problem);
      return z.NEVER;
    }
    return value === undefined ? [field, known] : [field, known, value];
  });

function valueProblem(operator: Operator, value: string | undefined): string | undefined {
  switch (operator) {
    case 'GROUP_BY':
      return value === undefined || isCount(value) ? undefined : 'GROUP_BY takes a number of groups';
    case 'MAX_PER':
      return value !== undefined && isCount(value)
        ? undefined
        : 'MAX_PER needs the maximum number of tasks per value';
    case 'IS':
      return value === undefined ? 'IS needs a value' : undefined;
    case 'LIKE':
    case 'UNLIKE': {
      if (value === undefined) return `${operator} needs a pattern`;
      const problem = findPatternProblem(value);
      return problem && `${operator} has a pattern ${problem}: ${value}`;
    }
    default:
      return undefined;
  }
}

function isCount(value: string): boolean {
  return /^[1-9]\d{0,5}$/.test(value);
}

/** Compiles the pattern of LIKE or UNLIKE, which must match the complete value. */
export function fullMatcher(pattern: string | undefined): (value: string) => boolean {
  const full = new RegExp(`^(?:${pattern ?? ''})$`);
  return (value) => full.test(value);
}

/** Compares numbers with three decimals, as Mesos does. */
export function isValue(wanted: string | undefined, value: string): boolean {
  if (wanted === value) return true;
  return isNumber(wanted) && isNumber(value) && toMilli(Number(wanted)) === toMilli(Number(value));
}

export function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text);
}

/** Finds constraints that no cluster can satisfy, by the index of the offending constraint. */
export function* findConflicts(
  constraints: readonly Constraint[],
  instances: number,
): Generator<{ index: number; message: string }> {
  for (const [index, constraint] of constraints.entries()) {
    for (const other of constraints.slice(0, index)) {
      const message = describeConflict(other, constraint) ?? describeConflict(constraint, other);
      if (message !== undefined) yield { index, message: `can't be met: ${message}` };
    }
    const most = maxInstances(constraints, constraint);
    if (most === undefined || instances <= most) continue;
    const message = `can't be met: ${constraint.join(' ')} and the other constraints allow at most ${most} instances, but ${instances} are wanted`;
    yield { index, message };
  }
}

/** @returns the only value that a constraint allows for its field, if there is just one */
function pinnedValue([, operator, value]: Constraint): string | undefined {
  return operator === 'IS' || operator === 'CLUSTER' ? value || undefined : undefined;
}

function describeConflict(first: Constraint, second: Constraint): string | undefined {
  const [field, operator, value] = second;
  const only = pinnedValue(first);
  if (only === undefined || first[0] !== field) return undefined;
  const other = pinnedValue(second);
  if (other !== undefined) return isValue(only, other) ? undefined : `${field} can't be ${only} and ${other}`;
  if (operator !== 'LIKE' && operator !== 'UNLIKE') return undefined;
  if (fullMatcher(value)(only) === (operator === 'LIKE')) return undefined;
  return `${field} must be ${only}, which contradicts ${operator} ${value}`;
}

/** @returns the maximum number of tasks due to a constraint on a field that has the same value for all tasks */
function maxInstances(constraints: readonly Constraint[], constraint: Constraint): number | undefined {
  const [field, operator, value] = constraint;
  const isOne = constraints.some(
    (other) => other[0] === field && (pinnedValue(other) !== undefined || other[1] === 'CLUSTER'),
  );
  if (!isOne) return undefined;
  if (operator === 'UNIQUE') return 1;
  if (operator === 'MAX_PER') return Number(value);
  return operator === 'GROUP_BY' && Number(value ?? 1) > 1 ? 1 : undefined;
}
