/**
 * Salted hashes of passwords: `$scrypt$ln=15,r=8,p=1$SALT$KEY`, with salt and key in base64 without padding. Source of
 * the format: passlib's `scrypt`, which follows the PHC string format.
 */

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

export interface ScryptHash {
  /** Binary logarithm of the cost. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

const FORMAT =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{8,88})\$([A-Za-z0-9+/]{22,88})$/;
/** 32 MiB and about 0.1 s. */
const COST = { ln: 15, r: 8, p: 1 };
/** Bounds the memory that a single request can take. */
const MAX_BYTES = 1 << 28;

/** True for a text that is meant as a hash, valid or not. */
export function looksHashed(text: string): boolean {
  return /^\$[a-z0-9-]+\$/.test(text);
}

/** @returns undefined if the text is not a hash of this format, or its cost is out of bounds */
export function parseHash(text: string): ScryptHash | undefined {
  const [, ln = 0, r = 0, p = 0, salt = '', key = ''] = FORMAT.exec(text) ?? [];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (cost.ln < 10 || cost.r < 1 || cost.p < 1 || bytesFor(cost) > MAX_BYTES) return undefined;
  return { ...cost, salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') };
}

export function formatHash({ ln, r, p, salt, key }: ScryptHash): string {
  const coded = [salt, key].map((bytes) => bytes.toString('base64').replaceAll('=', ''));
  return `$scrypt$ln=${ln},r=${r},p=${p}$${coded.join('$')}`;
}

/** Hashes a password with a new salt. */
export async function hashPassword(password: string): Promise<ScryptHash> {
  const salt = randomBytes(16);
  return { ...COST, salt, key: await derive(password, { ...COST, salt }, 32) };
}

export async function matchesHash(password: string, hash: ScryptHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, hash, hash.key.length), hash.key);
}

function derive(
  password: string,
  { ln, r, p, salt }: Omit<ScryptHash, 'key'>,
  bytes: number,
): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: 2 * bytesFor({ ln, r, p }) };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function bytesFor({ ln, r, p }: { ln: number; r: number; p: number }): number {
  return 128 * r * (2 ** ln + p);
}
