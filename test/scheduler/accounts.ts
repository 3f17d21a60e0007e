import type { Account, Role } from '../../src/scheduler/api/access-rules.ts';

/** A user of the API with a password or a token. */
export function account(
  name: string,
  role: Role,
  text: string,
  kind: 'password' | 'token' = 'password',
): Account {
  return { user: { name, role }, secret: { kind, text } };
}

/** Headers of a request with basic authentication. */
export function asUser(name: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}
