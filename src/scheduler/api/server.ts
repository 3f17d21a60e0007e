import { fastify } from 'fastify';
import '../linear-patterns.ts';
import { addAccessHooks } from './access.ts';
import { roleForMethod } from './access-rules.ts';
import { type Api, type ApiOptions, BadRequestError, json } from './answers.ts';
import { createAuthenticator } from './authenticator.ts';
import { addOpenApiRoutes } from './openapi/routes.ts';
import { addRequestHooks, requestId } from './request-log.ts';
import { addV1Routes } from './v1/routes.ts';
import { addV2Routes } from './v2/scheduler.ts';
import { addSessionRoutes } from './v2/session.ts';

/** Nested groups take two levels each. */
const MAX_DEPTH = 500;
const MAX_PARAMETER_LENGTH = 500;

/** Creates the HTTP API, which does not listen yet. */
export function createApi(options: ApiOptions): Api {
  const api = fastify({
    genReqId: requestId,
    bodyLimit: options.maxBodyBytes,
    // Keep-alive connections and event streams must not delay the exit of the daemon.
    forceCloseConnections: true,
    // Formats errors of the router, such as for a path that is not UTF-8, like all other errors.
    frameworkErrors: (error, _request, reply) => json(reply, { message: error.message }, 400),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAMETER_LENGTH },
    // No route has a JSON schema, so the schema compilers need not be loaded.
    schemaController: {
      compilersFactory: {
        buildValidator: withoutSchemas,
        buildSerializer: withoutSchemas,
      },
    },
  });
  acceptJsonOnly(api);
  if (options.onRoute) {
    const { onRoute } = options;
    api.addHook('onRoute', ({ method, url, config }) => {
      for (const one of [method].flat()) onRoute(one, url, config?.role ?? roleForMethod(one));
    });
  }
  addRequestHooks(api, (answer) => {
    options.metrics.countAnswer(answer);
    options.onAnswered?.(answer);
  });
  const { accounts = [] } = options;
  const authenticator = accounts.length > 0 ? createAuthenticator(accounts, options.now) : undefined;
  addAccessHooks(api, options, authenticator);
  api.setNotFoundHandler((request, reply) =>
    json(reply, { message: `There is nothing at ${request.method} ${request.url}` }, 404),
  );
  api.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (error instanceof InvalidJsonError && request.url.startsWith('/v2/'))
      return json(reply, error.v2(), 400);
    if (status >= 500)
      options.onError(
        `request ${request.id}, ${request.method} ${request.url}, could not be answered`,
        error,
      );
    if (status === 413) return json(reply, { message: tooLargeText(options.maxBodyBytes) }, status);
    const message = status >= 500 ? 'Internal error of the scheduler; see its log' : error.message;
    return json(reply, { message }, status);
  });
  addV1Routes(api, options);
  addV2Routes(api, options);
  addSessionRoutes(api, options, authenticator);
  addOpenApiRoutes(api, String(options.info().version));
  return api;
}

function tooLargeText(limit: number): string {
  return `The body is larger than ${limit} bytes: send fewer apps at once, or start the scheduler with a larger --http_max_body`;
}

function withoutSchemas(): never {
  throw new Error('a route has a JSON schema, but requests are checked by the schemas of zod');
}

/** Reads bodies as JSON regardless of the content type: `curl -d` declares a form, even for an empty body. */
function acceptJsonOnly(api: Api): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    const text = body.toString();
    if (isTooDeep(text)) {
      done(new BadRequestError(`The body is nested too deeply: at most ${MAX_DEPTH} levels are allowed`));
      return;
    }
    try {
      done(null, text.length === 0 ? undefined : JSON.parse(text));
    } catch (error) {
      done(new InvalidJsonError(error instanceof Error ? error.message : String(error)));
    }
  });
}

/** Checks the depth before parsing, since recursive functions process the body later. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const letter = text[i];
    if (inString) {
      if (letter === '\\') i += 1;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === '{' || letter === '[') {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (letter === '}' || letter === ']') depth -= 1;
  }
  return false;
}

class InvalidJsonError extends BadRequestError {
  readonly #reason: string;

  constructor(reason: string) {
    super(`The body is not JSON: ${reason}`);
    this.#reason = reason;
  }

  v2() {
    return { message: 'Invalid JSON', details: [{ path: '/', errors: [this.#reason] }] };
  }
}
