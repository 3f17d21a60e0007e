/** Finds the account of a password or a token, and slows down guessing of passwords. */

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Attempts, type Origin } from '../sign-in/attempts.ts';
import type { Account } from './access-rules.ts';
import { matchesHash } from './scrypt-hash.ts';

/** Passwords that are accepted without deriving the key again, which takes 0.1 s. */
const MAX_REMEMBERED = 1000;
/** Waiting derivations. They run one at a time: they share four threads with the writes of the journal. */
const MAX_WAITING = 50;

/** What a client sends to prove who it is. */
export type Credentials =
  | { readonly user: string; readonly password: string }
  /** At least 16 letters or digits (flags/users.ts), so guessing of tokens is not slowed down. */
  | { readonly token: string };

/** `busy`: too many passwords are being checked. `waitMs`: there were too many wrong ones; try again after so long. */
export type Checked = Account | 'wrong' | 'busy' | { readonly waitMs: number };

/** An account with a password. */
interface Person {
  readonly account: Account;
  readonly secret: Exclude<Account['secret'], { readonly kind: 'token' }>;
  /** Digest of the user's name. */
  readonly name: Buffer;
}

export interface Authenticator {
  /** Value of `WWW-Authenticate`. */
  readonly challenge: string;
  check(credentials: Credentials, origin: Origin): Promise<Checked>;
}

/** @param now milliseconds since the epoch */
export function createAuthenticator(accounts: readonly Account[], now: () => number): Authenticator {
  const tokens = accounts.flatMap((account) =>
    account.secret.kind === 'token' ? { account, digest: digest(account.secret.text) } : [],
  );
  const people = accounts.flatMap((account): Person | [] =>
    account.secret.kind === 'token'
      ? []
      : { account, secret: account.secret, name: digest(account.user.name) },
  );
  const decoy = people.flatMap(({ secret }) => (secret.kind === 'hash' ? secret.hash : []))[0];
  const key = randomBytes(32);
  const remembered = new Map<string, Account>();
  const attempts = new Attempts();
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  const byToken = (token: string): Checked => {
    const received = digest(token);
    // Compares all of them in constant time.
    return tokens.filter((one) => timingSafeEqual(one.digest, received))[0]?.account ?? 'wrong';
  };
  /** A wrong password takes as long for an unknown name, a name with a plain password, and a name with a hash. */
  const matches = async (found: Person | undefined, password: string): Promise<boolean | 'busy'> => {
    if (found?.secret.kind === 'password' && timingSafeEqual(digest(found.secret.text), digest(password)))
      return true;
    const hash = found?.secret.kind === 'hash' ? found.secret.hash : decoy;
    if (!hash) return false;
    if (waiting >= MAX_WAITING) return 'busy';
    waiting += 1;
    const matching = last.then(() => matchesHash(password, hash));
    last = matching.catch(() => {});
    const isRight = await matching.finally(() => {
      waiting -= 1;
    });
    return isRight && found?.secret.kind === 'hash';
  };
  /** A user whose password changes has two. */
  const findBy = async (user: string, password: string): Promise<Person | 'busy' | undefined> => {
    const named = digest(user);
    const [first, ...others] = people.filter((one) => timingSafeEqual(one.name, named));
    for (const one of [first, ...others]) {
      const isRight = await matches(one, password);
      if (isRight) return isRight === 'busy' ? 'busy' : one;
    }
    return undefined;
  };
  const byPassword = async (user: string, password: string, origin: Origin): Promise<Checked> => {
    const id = createHmac('sha256', key).update(`${user}:${password}`).digest('base64');
    const known = remembered.get(id);
    if (known) return known;
    const waitMs = attempts.waitFor(user, origin, now());
    if (waitMs > 0) return { waitMs };
    const found = await findBy(user, password);
    if (found === 'busy') return 'busy';
    if (!found) {
      attempts.fail(user, origin, now());
      return 'wrong';
    }
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(id, found.account);
    return found.account;
  };
  const schemes = [people.length > 0 && 'Basic', tokens.length > 0 && 'Bearer'];
  return {
    challenge: schemes.flatMap((scheme) => (scheme ? `${scheme} realm="mesosup"` : [])).join(', '),
    check: async (credentials, origin) =>
      'token' in credentials
        ? byToken(credentials.token)
        : byPassword(credentials.user, credentials.password, origin),
  };
}

/** Reads an `Authorization` header. @returns undefined if it has no credentials */
export function credentialsIn(authorization: string): Credentials | undefined {
  // Schemes are case-insensitive; python3-marathon and other clients for DC/OS send `token=…`.
  const [, scheme = '', value = ''] = /^(basic|bearer|token)[ =](.*)$/i.exec(authorization.trim()) ?? [];
  if (scheme === '') return undefined;
  if (scheme.toLowerCase() !== 'basic') return { token: value };
  const decoded = Buffer.from(value.trim(), 'base64').toString();
  const [, user = '', password] = /^([^:]*):(.*)$/s.exec(decoded) ?? [];
  return password === undefined ? undefined : { user, password };
}

/** Hashes a text, since timingSafeEqual needs equal lengths. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
