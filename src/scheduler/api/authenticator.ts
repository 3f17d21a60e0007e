/** Finds the user of a request by its Authorization header. */

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Account, User } from './access-rules.ts';
import { matchesHash } from './scrypt-hash.ts';

/** Headers that are accepted without deriving the key again, which takes 0.1 s. */
const MAX_REMEMBERED = 1000;
/** Waiting derivations. They run one at a time: they share four threads with the writes of the journal. */
const MAX_WAITING = 50;

export interface Authenticator {
  /** Value of `WWW-Authenticate`. */
  readonly challenge: string;
  /** @returns undefined if the header is missing or wrong; `busy` if too many passwords are being checked */
  userOf(authorization: string | undefined): Promise<User | undefined | 'busy'>;
}

export function createAuthenticator(accounts: readonly Account[]): Authenticator {
  const tokens = accounts.flatMap(({ user, secret }) =>
    secret.kind === 'token' ? { user, digest: digest(secret.text) } : [],
  );
  const people = accounts.flatMap(({ user, secret }) =>
    secret.kind === 'token' ? [] : { user, secret, name: digest(user.name) },
  );
  const decoy = people.flatMap(({ secret }) => (secret.kind === 'hash' ? secret.hash : []))[0];
  const key = randomBytes(32);
  const remembered = new Map<string, User>();
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  const byToken = (token: string): User | undefined => {
    const received = digest(token);
    // Compares all of them in constant time.
    return tokens.filter((one) => timingSafeEqual(one.digest, received))[0]?.user;
  };
  const byPassword = async (authorization: string, coded: string): Promise<User | undefined | 'busy'> => {
    const [, name = '', password] = /^([^:]*):(.*)$/s.exec(Buffer.from(coded, 'base64').toString()) ?? [];
    if (password === undefined) return undefined;
    const named = digest(name);
    const found = people.filter((one) => timingSafeEqual(one.name, named))[0];
    if (found?.secret.kind === 'password') {
      return timingSafeEqual(digest(found.secret.text), digest(password)) ? found.user : undefined;
    }
    const hash = found?.secret.hash ?? decoy;
    if (!hash) return undefined;
    const id = createHmac('sha256', key).update(authorization).digest('base64');
    const known = remembered.get(id);
    if (known) return known;
    if (waiting >= MAX_WAITING) return 'busy';
    waiting += 1;
    const matching = last.then(() => matchesHash(password, hash));
    last = matching.catch(() => {});
    const matches = await matching.finally(() => {
      waiting -= 1;
    });
    // An unknown name takes as long as a wrong password.
    if (!matches || !found) return undefined;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(id, found.user);
    return found.user;
  };
  const schemes = [people.length > 0 && 'Basic', tokens.length > 0 && 'Bearer'];
  return {
    challenge: schemes.flatMap((scheme) => (scheme ? `${scheme} realm="mesosup"` : [])).join(', '),
    userOf: async (authorization = '') => {
      // Schemes are case-insensitive; python3-marathon and other clients for DC/OS send `token=…`.
      const [, scheme = '', value = ''] = /^(basic|bearer|token)[ =](.*)$/i.exec(authorization.trim()) ?? [];
      if (scheme === '') return undefined;
      return scheme.toLowerCase() === 'basic' ? byPassword(authorization, value.trim()) : byToken(value);
    },
  };
}

/** Hashes a text, since timingSafeEqual needs equal lengths. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
