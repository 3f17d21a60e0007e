import { createHash, timingSafeEqual } from 'node:crypto';
import { fastify } from 'fastify';
import '../linear-patterns.ts';
import { type Api, type ApiOptions, BadRequestError, json } from './answers.ts';
import { addV1Routes } from './v1.ts';
import { addV2Routes } from './v2.ts';

const LARGEST_BODY_BYTES = 1 << 20;
const LONGEST_PARAMETER = 500;

/** The HTTP API; not yet listening. */
export function createApi(options: ApiOptions): Api {
  const api = fastify({
    bodyLimit: LARGEST_BODY_BYTES,
    // A keep-alive connection must not hold up the end of the daemon, nor an event stream.
    forceCloseConnections: true,
    // What the router refuses by itself, such as a path that is no UTF-8, is answered like the rest.
    frameworkErrors: (error, _request, reply) => json(reply, { message: error.message }, 400),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: LONGEST_PARAMETER },
    // No route has a JSON schema, so that the compilers for them need not be loaded.
    schemaController: {
      compilersFactory: {
        buildValidator: withoutSchemas,
        buildSerializer: withoutSchemas,
      },
    },
  });
  acceptJsonOnly(api);
  refuseOtherSites(api);
  if (options.credentials !== undefined) requireCredentials(api, options.credentials);
  api.setNotFoundHandler((request, reply) =>
    json(reply, { message: `There is nothing at ${request.method} ${request.url}` }, 404),
  );
  api.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (error instanceof InvalidJsonError && request.url.startsWith('/v2/'))
      return json(reply, error.v2(), 400);
    if (status >= 500) options.onError(`${request.method} ${request.url} could not be answered`, error);
    const message = status >= 500 ? 'The scheduler failed to answer; its log says why' : error.message;
    // What is left of a body that is too large is not waited for.
    return json(reply, { message }, status, status === 413 ? { Connection: 'close' } : {});
  });
  addV1Routes(api, options);
  addV2Routes(api, options);
  return api;
}

function withoutSchemas(): never {
  throw new Error('a route has a JSON schema, but requests are checked by schemas.ts');
}

/** Bodies are JSON whatever they are said to be: `curl -d` calls them a form, also an empty one. */
function acceptJsonOnly(api: Api): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body.length === 0 ? undefined : JSON.parse(body.toString()));
    } catch (error) {
      done(new InvalidJsonError(error instanceof Error ? error.message : String(error)));
    }
  });
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

/** Since any content type will do, a page of another site could otherwise start containers from a browser here. */
function refuseOtherSites(api: Api): void {
  api.addHook('onRequest', async (request, reply) => {
    if (request.method === 'GET' || request.method === 'HEAD') return;
    const { origin, host } = request.headers;
    if (origin === undefined || URL.parse(origin)?.host === host) return;
    return json(reply, { message: `Requests from pages of ${origin} are not accepted` }, 403);
  });
}

function requireCredentials(api: Api, credentials: string): void {
  const wanted = digest(`Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`);
  api.addHook('onRequest', async (request, reply) => {
    if (request.url === '/ping') return;
    // Of equal length, and compared in a time that tells nothing.
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), wanted)) return;
    const challenge = { 'WWW-Authenticate': 'Basic realm="mesosup"' };
    return json(reply, { message: 'User and password are missing or wrong' }, 401, challenge);
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
