/** The API's description (OpenAPI 3.1), made of the schemas that check requests and of the list of operations. */

import * as z from 'zod';
import { appSchema } from '../domain/app-schema.ts';
import { groupSchema } from '../domain/group-schema.ts';
import { type Api, json, respond } from './answers.ts';
import type { JsonSchema, OpenApi } from './openapi-document.ts';
import { openApiPage } from './openapi-page.ts';
import { OPERATIONS, type Operation, PARAMETERS } from './operations.ts';
import { v1Schemas } from './v1-schemas.ts';
import { deletion } from './v2-tasks.ts';

const COMPONENTS = '#/components/schemas/';

export function addOpenApiRoutes(api: Api, version: string): void {
  // Made when it is first asked for: few ever do.
  let made: OpenApi | undefined;
  const description = () => {
    made ??= openApi(version);
    return made;
  };
  api.get('/v2/openapi.json', async (_request, reply) => json(reply, description()));
  api.get('/v2/openapi', async (_request, reply) => {
    const body = Buffer.from(openApiPage(description()));
    return respond(
      reply,
      200,
      {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Length': String(body.length),
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
      },
      [body],
    );
  });
}

export function openApi(version: string): OpenApi {
  const paths: OpenApi['paths'] = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] ??= {};
    Object.assign(paths[operation.path] ?? {}, { [operation.method.toLowerCase()]: describe(operation) });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'The scheduler of mesosup',
      version,
      description:
        "Marathon's v1 and v2 APIs. Bodies are JSON whatever they are said to be; numbers may be sent as text. Ids of apps and groups are paths.",
    },
    paths,
    components: {
      schemas: { ...schemas(), ...ERRORS },
      securitySchemes: {
        password: { type: 'http', scheme: 'basic' },
        token: { type: 'http', scheme: 'bearer' },
      },
    },
    security: [{}, { password: [] }, { token: [] }],
  };
}

const text = { type: 'string' };
const ERRORS: Record<string, JsonSchema> = {
  Message: { type: 'object', properties: { message: text }, required: ['message'] },
  Invalid: {
    type: 'object',
    properties: {
      message: text,
      details: {
        type: 'array',
        items: { type: 'object', properties: { path: text, errors: { type: 'array', items: text } } },
      },
    },
    required: ['message'],
  },
  Locked: {
    type: 'object',
    properties: {
      message: text,
      deployments: { type: 'array', items: { type: 'object', properties: { id: text } } },
    },
    required: ['message'],
  },
  V1Invalid: {
    type: 'object',
    properties: {
      errors: { type: 'array', items: { type: 'object', properties: { attribute: text, error: text } } },
    },
    required: ['errors'],
  },
};

function describe({ method, path, summary, query = [], body, status = 200, type, refusals = [] }: Operation) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: text,
  }));
  const inQuery = query.map((name) => ({ name, in: 'query', description: PARAMETERS[name], schema: text }));
  const schema = typeof body === 'string' ? refTo(body) : { type: 'array', items: refTo(body?.[0] ?? '') };
  const success = {
    description: status < 300 ? 'Done' : 'Refused',
    ...(status !== 204 && { content: { [type ?? 'application/json']: {} } }),
  };
  const refused = Object.fromEntries(refusals.map((one) => [one, refusal(one, path)]));
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    tags: [path.split('/').slice(1, 3).join(' ').replaceAll(/[{}]/g, '')],
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema } } },
    }),
    responses: { [status]: success, ...refused },
  };
}

function refusal(status: number, path: string) {
  const invalid = path.startsWith('/v1/') ? 'V1Invalid' : 'Invalid';
  const [description, schema] =
    {
      404: ['There is no such thing', 'Message'],
      409: ['It exists already, or a deployment under way changes it', 'Locked'],
      422: ['The body is not what was expected', invalid],
    }[status] ?? [];
  return { description, content: { 'application/json': { schema: refTo(schema ?? 'Message') } } };
}

function refTo(name: string): JsonSchema {
  return { $ref: COMPONENTS + name };
}

function schemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  registry.add(appSchema, { id: 'App' });
  registry.add(groupSchema, { id: 'Group' });
  registry.add(deletion, { id: 'TaskIds' });
  for (const [id, schema] of Object.entries(v1Schemas)) registry.add(schema, { id });
  // What comes out of a schema: what goes in passes through functions, of which JSON Schema knows nothing.
  const made = z.toJSONSchema(registry, {
    unrepresentable: 'any',
    uri: (id) => COMPONENTS + id,
    // A default that is filled in itself.
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type === 'prefault') jsonSchema.default = def.defaultValue as JsonSchema['default'];
    },
  });
  const all: Record<string, JsonSchema> = {};
  for (const [name, schema] of Object.entries(made.schemas)) {
    const { $id: _id, $schema: _schema, ...rest } = schema as JsonSchema;
    all[name] = asSent(rest);
  }
  const { App, Group } = all;
  if (App) all.AppUpdate = { ...App, description: 'Some fields of an app', required: [] };
  if (Group?.properties) Group.properties.scaleBy = { type: 'number', minimum: 0 };
  return all;
}

/** What has a default need not be sent, and what isn't known is passed over. */
function asSent(schema: JsonSchema): JsonSchema {
  const { properties, items, required, additionalProperties, ...rest } = schema;
  const isMap = typeof additionalProperties === 'object' && additionalProperties !== null;
  return {
    ...rest,
    ...(isMap && { additionalProperties: asSent(additionalProperties as JsonSchema) }),
    ...(items && { items: asSent(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, asSent(one)])),
      required: (required ?? []).filter((name) => properties[name]?.default === undefined),
    }),
  };
}
