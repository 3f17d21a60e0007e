/** Renews the token of an executor when its agent has another key. */

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * Signs the claims of a token (JWT with HS256, RFC 7515) with the key that the agent has now. An agent gives an executor a
 * token only when it launches it (`jwt_secret_generator.cpp` of Mesos), so a restart of the agent with another key would
 * end the executor. The executor runs as root on the agent's host, and so may read the key.
 * @param keyFile the key is all its bytes, as for Mesos
 * @returns undefined if the file can't be read: a Mesos that mesosup did not install has its key elsewhere
 */
export function renewToken(token: string, keyFile: string): string | undefined {
  const [header, claims, signature] = token.split('.');
  if (header === undefined || claims === undefined || signature === undefined) return undefined;
  let key: Buffer;
  try {
    key = readFileSync(keyFile);
  } catch {
    return undefined;
  }
  const signed = `${header}.${claims}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
