/** What requests of v1 may hold. These schemas are the only place where requests are checked. */

import * as z from 'zod';
import type { FieldError } from '../decide/inputs.ts';
import { type App, CONSTRAINT_OPERATORS } from '../domain/app.ts';
import { patternProblem } from './patterns.ts';

/** Task ids and sandbox directories are made of it. */
const LONGEST_ID = 200;
const MOST_INSTANCES = 1_000_000;
const MOST_CPUS = 1_000_000;
const MOST_MIB = 1e12;
const MOST_PORTS = 100;
/** A list of wrong things must not give an answer many times its size. */
const MOST_ERRORS = 100;

const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;
const EMPTY = 'may not be empty';
const NUL = 'may not hold a NUL';

/** HTTPie's `instances=2` sends a string. */
function fromText(value: unknown): unknown {
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
}

function number(least: number, most: number) {
  const schema = z
    .number({ error: 'must be a number' })
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);
  return z.preprocess(fromText, schema);
}

function wholeNumber(least: number, most: number) {
  const schema = z
    .number({ error: (issue) => (issue.input === undefined ? EMPTY : 'must be a whole number') })
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`)
    .refine(Number.isInteger, 'must be a whole number');
  return z.preprocess(fromText, schema);
}

const text = z.string({ error: 'must be a text' }).refine(hasNoNul, NUL);

const id = z
  .string({ error: (issue) => (issue.input === undefined ? EMPTY : 'must be a text') })
  .min(1, { error: EMPTY, abort: true })
  .max(LONGEST_ID, `may have at most ${LONGEST_ID} characters`)
  .regex(/^[A-Za-z0-9_.-]+$/, "may only hold letters, digits, '_', '.' and '-'");

const env = z.record(
  z.string().refine((name) => name !== '' && !/[=\0]/.test(name), 'is not the name of a variable'),
  z.preprocess(
    (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value),
    text,
  ),
  {
    error: (issue) =>
      issue.code === 'invalid_key' ? 'is not the name of a variable' : 'must be an object of texts',
  },
);

const constraint = z
  .array(z.union([z.string(), z.number()]), { error: 'must be [field, operator, value]' })
  .min(2, 'must be [field, operator, value]')
  .max(3, 'must be [field, operator, value]')
  .transform((parts, context) => {
    const [field, operator, value] = parts.map(String);
    const known = CONSTRAINT_OPERATORS.find(
      (name, number) => name === operator?.toUpperCase() || String(number) === operator,
    );
    if (!known) {
      context.addIssue(
        `has an unknown operator '${operator}': one of ${CONSTRAINT_OPERATORS.join(', ')} was expected`,
      );
      return z.NEVER;
    }
    const problem = valueProblem(known, value);
    if (problem) {
      context.addIssue(problem);
      return z.NEVER;
    }
    const named = field ?? '';
    return value === undefined ? ([named, known] as const) : ([named, known, value] as const);
  });

function valueProblem(
  operator: (typeof CONSTRAINT_OPERATORS)[number],
  value: string | undefined,
): string | undefined {
  if (operator === 'GROUP_BY') {
    return value === undefined || /^[1-9]\d{0,5}$/.test(value)
      ? undefined
      : 'GROUP_BY takes a number of groups';
  }
  if (operator !== 'LIKE' && operator !== 'UNLIKE') return undefined;
  if (value === undefined) return `${operator} needs a pattern`;
  const problem = patternProblem(value);
  return problem && `${operator} has a pattern ${problem}: ${value}`;
}

const container = z.object(
  {
    image: z.string({ error: EMPTY }).min(1, EMPTY).refine(hasNoNul, NUL),
    options: z.array(text, { error: 'must be an array of texts' }).default([]),
  },
  { error: 'must be an object with an image' },
);

const app = z.object(
  {
    id,
    cmd: text.default(''),
    env: env.default({}),
    instances: wholeNumber(0, MOST_INSTANCES).default(0),
    cpus: number(0.001, MOST_CPUS).default(1),
    mem: number(1, MOST_MIB).default(128),
    disk: number(0, MOST_MIB).default(0),
    executor: text.regex(/^(\/\/cmd|\/[^/].*|)$/, "must be '//cmd', an absolute path, or empty").default(''),
    constraints: z.array(constraint, { error: 'must be an array' }).default([]),
    uris: z.array(text.min(1, EMPTY), { error: 'must be an array of texts' }).default([]),
    ports: z
      .array(wholeNumber(0, 65_535), { error: 'must be an array of numbers' })
      .max(MOST_PORTS, `may have at most ${MOST_PORTS} elements`)
      .refine((ports) => areDistinct(ports.filter((port) => port !== 0)), 'must be different from each other')
      .default([]),
    taskRateLimit: number(0, MOST_CPUS).optional(),
    container: container.optional(),
  },
  { error: 'must be a JSON object' },
);

const stop = z.object({ id }, { error: 'must be a JSON object' });
const scale = z.object(
  {
    id,
    instances: wholeNumber(0, MOST_INSTANCES),
  },
  { error: 'must be a JSON object' },
);

function hasNoNul(value: string): boolean {
  return !value.includes('\0');
}

function areDistinct(values: readonly number[]): boolean {
  return new Set(values).size === values.length;
}

export type Parsed<T> = { readonly value: T } | { readonly errors: readonly FieldError[] };

export function parseApp(body: unknown): Parsed<App> {
  const parsed = check(app, body);
  if ('errors' in parsed) return parsed;
  const { taskRateLimit, container: given, ...rest } = parsed.value;
  return {
    value: {
      ...rest,
      ...(taskRateLimit !== undefined && { taskRateLimit }),
      ...(given && { container: given }),
    },
  };
}

export function parseStop(body: unknown): Parsed<{ id: string }> {
  return check(stop, body);
}

export function parseScale(body: unknown): Parsed<{ id: string; instances: number }> {
  return check(scale, body);
}

function check<T>(schema: z.ZodType<T>, body: unknown): Parsed<T> {
  const result = schema.safeParse(withoutNulls(body));
  if (result.success) return { value: result.data };
  const errors = result.error.issues.slice(0, MOST_ERRORS).map(({ path, message }) => ({
    attribute: path.length === 0 ? 'body' : path.map(String).join('.'),
    error: message,
  }));
  return { errors };
}

/** A field that is null counts as left out. */
function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
