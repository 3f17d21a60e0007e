/** `[field, operator, value?]`; the field is `hostname`, `@region`, `@zone` or the name of an agent's attribute. */

import * as z from 'zod';
import { patternProblem } from './patterns.ts';

/** The first five by their numbers, which Marathon 0.1 sent in place of the names. */
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
      context.addIssue(`has an unknown operator '${operator}': one of ${OPERATORS.join(', ')} was expected`);
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
      return value !== undefined && isCount(value) ? undefined : 'MAX_PER needs the most tasks for a value';
    case 'IS':
      return value === undefined ? 'IS needs a value' : undefined;
    case 'LIKE':
    case 'UNLIKE': {
      if (value === undefined) return `${operator} needs a pattern`;
      const problem = patternProblem(value);
      return problem && `${operator} has a pattern ${problem}: ${value}`;
    }
    default:
      return undefined;
  }
}

function isCount(value: string): boolean {
  return /^[1-9]\d{0,5}$/.test(value);
}
