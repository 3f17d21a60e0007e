/**
 * The OpenAPI 3.1 document, generated from the list of operations, the schemas that validate requests, and the schemas
 * from which the types of answers are derived.
 */

import * as z from 'zod';
import { appSchema } from '../../domain/app-schema.ts';
import { groupSchema } from '../../domain/group-schema.ts';
import { roleForMethod } from '../access-rules.ts';
import { v1AnswerSchemas } from '../v1/answer-schemas.ts';
import { v1Schemas } from '../v1/request-schemas.ts';
import { agentSchemas } from '../v2/agent-schemas.ts';
import { v2AppSchemas } from '../v2/app-schemas.ts';
import { v2DeploymentSchemas } from '../v2/deployment-schemas.ts';
import { endpointSchemas } from '../v2/endpoint-schemas.ts';
import { eventSchemas } from '../v2/event-schemas.ts';
import { exec, execSchemas } from '../v2/exec-schemas.ts';
import { queueSchemas } from '../v2/queue-schemas.ts';
import { schedulerSchemas } from '../v2/scheduler-schemas.ts';
import { sessionSchemas, signIn } from '../v2/session-schemas.ts';
import { taskFilesSchemas } from '../v2/task-files-schemas.ts';
import { deletion } from '../v2/tasks.ts';
import type { JsonSchema, OpenApi } from './document.ts';
import { errorSchemas } from './error-schemas.ts';
import { type Media, type Operation, PARAMETERS } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import { emptyList } from './shown.ts';

const COMPONENTS = '#/components/schemas/';

const TYPES: Readonly<Record<Media, string>> = {
  json: 'application/json',
  text: 'text/plain',
  html: 'text/html',
  events: 'text/event-stream',
  bytes: 'application/octet-stream',
};

const REQUESTS = {
  App: appSchema,
  Group: groupSchema,
  TaskIds: deletion,
  Exec: exec,
  SignIn: signIn,
  ...v1Schemas,
};

/** The schemas of requests, by the names that operations use. */
export type RequestSchemas = typeof REQUESTS;

const ANSWERS = {
  EmptyList: emptyList,
  ...endpointSchemas,
  ...eventSchemas,
  ...errorSchemas,
  ...v1AnswerSchemas,
  ...v2AppSchemas,
  ...v2DeploymentSchemas,
  ...queueSchemas,
  ...agentSchemas,
  ...execSchemas,
  ...schedulerSchemas,
  ...sessionSchemas,
  ...taskFilesSchemas,
};

export function openApi(version: string): OpenApi {
  const names = answerNames();
  const paths: OpenApi['paths'] = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] ??= {};
    Object.assign(paths[operation.path] ?? {}, {
      [operation.method.toLowerCase()]: describe(operation, names),
    });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'The scheduler of mesosup',
      version,
      description:
        "Marathon's v1 and v2 APIs. Bodies are read as JSON with any content type; numbers may be sent as text. Ids of apps and groups are paths. Later releases may add fields to answers.",
    },
    paths,
    components: {
      schemas: schemas(names),
      securitySchemes: {
        password: { type: 'http', scheme: 'basic' },
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'mesosup-session' },
      },
    },
    security: [{}, { password: [] }, { token: [] }, { session: [] }],
  };
}

type Names = ReadonlyMap<z.ZodType, string>;

/**
 * Names each schema of an answer. A schema without a name of its own is named after the first operation that uses it.
 */
function answerNames(): Names {
  const names = new Map<z.ZodType, string>(Object.entries(ANSWERS).map(([name, schema]) => [schema, name]));
  for (const operation of OPERATIONS) {
    const id = operationId(operation);
    for (const [status, { json }] of Object.entries(operation.answers)) {
      if (json && !names.has(json)) names.set(json, `${id}${status}`);
    }
  }
  return names;
}

function operationId({ method, path }: Operation): string {
  return `${method.toLowerCase()}${path.replaceAll(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`;
}

function describe(operation: Operation, names: Names) {
  const { method, path, summary, query = [], body, answers, refusals = [] } = operation;
  const { role = roleForMethod(method) } = operation;
  const text = { type: 'string' };
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: text,
  }));
  const inQuery = query.map((name) => ({ name, in: 'query', description: PARAMETERS[name], schema: text }));
  const schema = typeof body === 'string' ? refTo(body) : { type: 'array', items: refTo(body?.[0] ?? '') };
  const answered = Object.entries(answers).map(([status, answer]) => {
    const forms = Object.entries(answer).map(([media, shown]) => {
      const name = names.get(shown);
      return [TYPES[media as Media], { schema: name === undefined ? jsonSchemaOf(shown) : refTo(name) }];
    });
    const content = forms.length > 0 && { content: Object.fromEntries(forms) };
    return [status, { description: DESCRIPTIONS[Number(status)] ?? 'Done', ...content }];
  });
  const refused = refusals.map((status) => [status, refusal(status, path)]);
  return {
    operationId: operationId(operation),
    summary,
    description: role === 'none' ? 'Needs no authentication.' : `Needs the role ${role}.`,
    'x-role': role,
    ...(role === 'none' && { security: [] }),
    tags: [path.split('/').slice(1, 3).join(' ').replaceAll(/[{}]/g, '')],
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema } } },
    }),
    responses: Object.fromEntries([...answered, ...refused]),
  };
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  101: 'The connection is a WebSocket from now on',
  400: 'Refused',
  401: 'Wrong credentials',
  403: 'Not allowed',
  404: 'Not found',
  409: 'It already exists, or a running deployment changes it',
  412: 'The app has another version than ifVersion',
  422: 'Invalid body or parameter',
  426: 'Not a request for a WebSocket',
  429: 'Too many wrong passwords; try again after the time in Retry-After',
  502: 'The agent refuses the request or is unreachable',
  503: 'Not possible at the moment, for example with too many clients; try again later',
  504: 'The agent does not answer',
};

function refusal(status: number, path: string) {
  const invalid = path.startsWith('/v1/') ? 'V1Invalid' : 'Invalid';
  const schema = { 409: 'Locked', 412: 'Outdated', 422: invalid }[status] ?? 'Message';
  const content = { 'application/json': { schema: refTo(schema) } };
  return { description: DESCRIPTIONS[status], content };
}

function refTo(name: string): JsonSchema {
  return { $ref: COMPONENTS + name };
}

function schemas(names: Names): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(REQUESTS)) registry.add(schema, { id });
  for (const [schema, id] of names) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { ...CONVERSION, uri: (id) => COMPONENTS + id });
  const all: Record<string, JsonSchema> = {};
  for (const [name, schema] of Object.entries(made.schemas)) {
    const { $id: _id, $schema: _schema, ...rest } = schema as JsonSchema;
    all[name] = mapSchema(rest, name in REQUESTS ? toRequestSchema : toAnswerSchema);
  }
  const { App, Group } = all;
  if (App) all.AppUpdate = { ...App, description: 'A subset of the fields of an app', required: [] };
  if (Group?.properties) Group.properties.scaleBy = { type: 'number', minimum: 0 };
  return all;
}

/** Describes the output of the schemas: their input passes through functions, which JSON Schema can't express. */
const CONVERSION: z.core.ToJSONSchemaParams = {
  unrepresentable: 'any',
  override: ({ zodSchema, jsonSchema }) => {
    const { def } = zodSchema._zod;
    // A default that the inner schema completes with its own defaults.
    if (def.type === 'prefault') jsonSchema.default = def.defaultValue as JsonSchema['default'];
    // The output of a transformation is its input, normalized.
    if (zodSchema instanceof z.ZodPipe && zodSchema.out instanceof z.ZodTransform) {
      Object.assign(jsonSchema, jsonSchemaOf(zodSchema.in));
    }
  },
};

function jsonSchemaOf(schema: z.core.$ZodType): JsonSchema {
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, CONVERSION) as JsonSchema;
  return rest;
}

/** Describes requests: fields with a default are optional, unknown fields are ignored. */
function toRequestSchema({ additionalProperties, required, ...rest }: JsonSchema): JsonSchema {
  const { properties } = rest;
  return {
    ...rest,
    ...(isSchema(additionalProperties) && { additionalProperties }),
    ...(properties && {
      required: (required ?? []).filter((name) => properties[name]?.default === undefined),
    }),
  };
}

/** Describes answers: every default is filled in, and later releases may add fields. */
function toAnswerSchema({ additionalProperties, default: _default, ...rest }: JsonSchema): JsonSchema {
  return { ...rest, ...(isSchema(additionalProperties) && { additionalProperties }) };
}

/** Applies a change to all nested schemas, then to the schema itself. */
function mapSchema(schema: JsonSchema, change: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const each = (one: JsonSchema) => mapSchema(one, change);
  const { properties, items, anyOf, oneOf, additionalProperties } = schema;
  return change({
    ...schema,
    ...(isSchema(additionalProperties) && { additionalProperties: each(additionalProperties) }),
    ...(anyOf && { anyOf: anyOf.map(each) }),
    ...(oneOf && { oneOf: oneOf.map(each) }),
    ...(items && { items: each(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, each(one)])),
    }),
  });
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}
