/** Access rules of the API: who may use it, and what each role may do. */

import type { ScryptHash } from './scrypt-hash.ts';

/** A viewer reads everything except values of environment variables; an operator does everything. */
export const ROLES = ['viewer', 'operator'] as const;
export type Role = (typeof ROLES)[number];
/** The role that an operation needs; `none`: everyone may use it, without authentication. */
export type Needed = Role | 'none';

export interface User {
  readonly name: string;
  readonly role: Role;
}

/** How a user proves who it is. */
export type Secret =
  | { readonly kind: 'password'; readonly text: string }
  | { readonly kind: 'hash'; readonly hash: ScryptHash }
  /** Sent as `Authorization: Bearer …`. */
  | { readonly kind: 'token'; readonly text: string };

export interface Account {
  readonly user: User;
  readonly secret: Secret;
}

export interface Access {
  /** Absent or empty: everyone may do everything. */
  accounts?: readonly Account[];
  /** Sites whose pages may use the API from a browser; `*` for all. */
  allowedOrigins?: readonly string[];
}

/** @returns the role that a request needs if its operation does not declare one */
export function roleForMethod(method: string): Role {
  return ['GET', 'HEAD', 'OPTIONS'].includes(method) ? 'viewer' : 'operator';
}

export function isAllowed({ role }: User, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
