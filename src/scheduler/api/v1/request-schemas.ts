/** Schemas of v1's requests, and the conversion of v1's apps to the common model. */

import * as z from 'zod';
import {
  EMPTY,
  environment,
  list,
  number,
  text,
  wholeNumber,
  withoutNulls,
} from '../../domain/app-fields.ts';
import { type AppDefinition, appSchema, MAX_INSTANCES } from '../../domain/app-schema.ts';
import { constraintSchema } from '../../domain/constraint.ts';

/** Limited, since task ids and sandbox directories contain the id. */
const MAX_ID_LENGTH = 200;
const MAX_CPUS = 1_000_000;
const MAX_MIB = 1e12;
const MAX_PORTS = 100;
/** Limited, so that the answer to a long invalid list does not become many times its size. */
const MAX_ERRORS = 100;

const id = z
  .string({ error: (issue) => (issue.input === undefined ? EMPTY : 'must be a string') })
  .min(1, { error: EMPTY, abort: true })
  .max(MAX_ID_LENGTH, `may have at most ${MAX_ID_LENGTH} characters`)
  .regex(/^[A-Za-z0-9_.-]+$/, "may only hold letters, digits, '_', '.' and '-'");

const texts = 'must be an array of strings';

const container = z.object(
  {
    image: text.min(1, EMPTY),
    options: list(text, 200, texts).default([]),
  },
  { error: 'must be an object with an image' },
);

const app = z.object(
  {
    id,
    cmd: text.default(''),
    env: environment.default({}),
    instances: wholeNumber(0, MAX_INSTANCES).default(0),
    cpus: number(0.001, MAX_CPUS).default(1),
    mem: number(1, MAX_MIB).default(128),
    disk: number(0, MAX_MIB).default(0),
    executor: text.regex(/^(\/\/cmd|\/[^/].*|)$/, "must be '//cmd', an absolute path, or empty").default(''),
    constraints: z.array(constraintSchema, { error: 'must be an array' }).default([]),
    uris: list(text.min(1, EMPTY), 100, texts).default([]),
    ports: list(wholeNumber(0, 65_535), MAX_PORTS, 'must be an array of numbers')
      .refine((ports) => areDistinct(ports.filter((port) => port !== 0)), 'must be different from each other')
      .default([]),
    taskRateLimit: number(0, MAX_CPUS).optional(),
    container: container.optional(),
  },
  { error: 'must be a JSON object' },
);

const stop = z.object({ id }, { error: 'must be a JSON object' });
const scale = z.object({ id, instances: wholeNumber(0, MAX_INSTANCES) }, { error: 'must be a JSON object' });

/** Named as in the API's description. */
export const v1Schemas = { V1App: app, V1Stop: stop, V1Scale: scale };

function areDistinct(values: readonly number[]): boolean {
  return new Set(values).size === values.length;
}

export interface AttributeError {
  readonly attribute: string;
  readonly error: string;
}

export type Parsed<T> = { readonly value: T } | { readonly errors: readonly AttributeError[] };

export function parseApp(body: unknown): Parsed<AppDefinition> {
  const parsed = check(app, body);
  return 'errors' in parsed ? parsed : { value: fromV1(parsed.value) };
}

/** Applies v1's implicit defaults: an app without ports gets one, and containers are Docker containers. */
export function fromV1({
  id: name,
  uris,
  ports,
  container: v1Container,
  ...rest
}: z.output<typeof app>): AppDefinition {
  return appSchema.parse({
    ...rest,
    id: `/${name}`,
    fetch: uris.map((uri) => ({ uri })),
    portDefinitions: ports.length > 0 ? ports.map((port) => ({ port })) : [{ port: 0 }],
    ...(v1Container && { container: { type: 'DOCKER', docker: v1Container } }),
  });
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
  const errors = result.error.issues.slice(0, MAX_ERRORS).map(({ path, message }) => ({
    attribute: path.length === 0 ? 'body' : path.map(String).join('.'),
    error: message,
  }));
  return { errors };
}
