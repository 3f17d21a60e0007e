/** Compares the API's answers with its description. */

import type { LightMyRequestResponse } from 'fastify';
import * as z from 'zod';
import type { JsonSchema } from '../../src/scheduler/api/openapi/document.ts';
import { openApi } from '../../src/scheduler/api/openapi/openapi.ts';
import type { Operation } from '../../src/scheduler/api/openapi/operation.ts';
import { OPERATIONS } from '../../src/scheduler/api/openapi/operations.ts';

interface DescribedAnswer {
  readonly content?: Readonly<Record<string, { schema: JsonSchema }>>;
}

const { paths, components } = openApi('1');
const EVENT: JsonSchema = { $ref: '#/components/schemas/Event' };
const compiled = new Map<JsonSchema, z.ZodType>();

/** @returns how an answer differs from the description, or undefined */
export function undescribed(operation: Operation, answer: LightMyRequestResponse): string | undefined {
  const { statusCode, body } = answer;
  const described = responsesOf(operation)[statusCode];
  if (!described) return `is answered by ${statusCode}: ${body}`;
  if (!described.content) return body === '' ? undefined : `${statusCode} has a body: ${body}`;
  const type = String(answer.headers['content-type']).split(';')[0] ?? '';
  const form = described.content[type];
  if (!form) return `${statusCode} is answered as ${type}`;
  const result = schemaOf(form.schema).safeParse(type === 'application/json' ? answer.json() : body);
  return result.success ? undefined : `${statusCode}: ${z.prettifyError(result.error)} in ${body}`;
}

/** @returns how an event of `/v2/events` differs from the description, or undefined */
export function undescribedEvent(event: unknown): string | undefined {
  const result = schemaOf(EVENT).safeParse(JSON.parse(JSON.stringify(event)));
  return result.success ? undefined : `${z.prettifyError(result.error)} in ${JSON.stringify(event)}`;
}

/** The described event types. */
export function describedEvents(): unknown[] {
  return (components.schemas.Event?.oneOf ?? []).map(({ properties }) => properties?.eventType?.const);
}

/** The operations' successful answers, as `GET /v2/apps 200 application/json`. */
export function describedAnswers(): string[] {
  return OPERATIONS.flatMap((operation) => {
    const { method, path, answers } = operation;
    const responses = responsesOf(operation);
    return Object.keys(answers).flatMap((status) => {
      const types = Object.keys(responses[status]?.content ?? { '': {} });
      return types.map((type) => `${method} ${path} ${status} ${type}`.trim());
    });
  });
}

function responsesOf({ method, path }: Operation): Readonly<Record<string, DescribedAnswer>> {
  const described = paths[path]?.[method.toLowerCase()] as { responses: Record<string, DescribedAnswer> };
  return described.responses;
}

function schemaOf(schema: JsonSchema): z.ZodType {
  let made = compiled.get(schema);
  if (!made) {
    const text = JSON.stringify({ ...closed(schema), $defs: Object.fromEntries(defs()) });
    const local = JSON.parse(text.replaceAll('"#/components/schemas/', '"#/$defs/')) as never;
    made = z.fromJSONSchema(local);
    compiled.set(schema, made);
  }
  return made;
}

function defs(): [string, JsonSchema][] {
  return Object.entries(components.schemas).map(([name, schema]) => [name, closed(schema)]);
}

/** Forbids undeclared fields, which clients must ignore. */
function closed(value: JsonSchema): JsonSchema {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => {
      if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
      const { type, properties, additionalProperties } = part as JsonSchema;
      const isClosed = type === 'object' && properties !== undefined && additionalProperties === undefined;
      return isClosed ? { ...part, additionalProperties: false } : part;
    }),
  ) as JsonSchema;
}
