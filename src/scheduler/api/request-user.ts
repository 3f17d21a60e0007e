/** The user of a request, and the role that the request needs. */

import type { FastifyRequest } from 'fastify';
import { type Needed, roleForMethod, type User } from './access-rules.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The role that the route needs. Default: by method. The API's description must agree. */
    role?: Needed;
  }
  interface FastifyRequest {
    /** Null without authentication, where everyone may do everything, and for operations that need no role. */
    user: User | null;
  }
}

export function roleOf({ method, routeOptions }: FastifyRequest): Needed {
  return routeOptions.config.role ?? roleForMethod(method);
}

/** True if values of environment variables must be hidden from the client. */
export function isViewer({ user }: FastifyRequest): boolean {
  return user?.role === 'viewer';
}
