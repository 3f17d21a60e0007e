/** Reads files of known hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) and compares keys with them (pure). */

import { createHash, createHmac } from 'node:crypto';
import { matchesList } from './patterns.ts';

export interface KnownKey {
  readonly file: string;
  readonly line: number;
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** Patterns, or one hashed name. */
  readonly names: string;
  /** `ssh-ed25519` and so on. */
  readonly type: string;
  /** The key in its wire format, in base64. */
  readonly key: string;
}

export type Verdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'revoked'; readonly entry: KnownKey }
  /** The files have only other keys of the host, of any type. */
  | { readonly kind: 'changed'; readonly entry: KnownKey }
  | { readonly kind: 'unknown' };

const MARKERS = { '@revoked': 'revoked', '@cert-authority': 'cert-authority' } as const;

/** Skips lines that are not entries, like OpenSSH. */
export function parseKnownHosts(file: string, text: string): KnownKey[] {
  const keys: KnownKey[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/[ \t]+/);
    const first = words[0] ?? '';
    if (first === '' || first.startsWith('#')) continue;
    const marker =
      first === '@revoked' || first === '@cert-authority' ? MARKERS[words.shift() as '@revoked'] : 'none';
    const [names, type, key] = words;
    if (names === undefined || type === undefined || key === undefined || names.startsWith('@')) continue;
    if (keyType(Buffer.from(key, 'base64')) !== type) continue;
    keys.push({ file, line: index + 1, marker, names, type, key });
  }
  return keys;
}

/** Reads the key type from the key's first bytes: a length of four bytes and a word. Empty for other bytes. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return '';
  const length = key.readUInt32BE(0);
  return length <= 64 && key.length > 4 + length ? key.toString('latin1', 4, 4 + length) : '';
}

/** @param name a host name or `[host]:port`, in lower case */
export function namesHost(entry: Pick<KnownKey, 'names'>, name: string): boolean {
  const { names } = entry;
  if (!names.startsWith('|')) return matchesList(names.toLowerCase().split(','), name);
  const [, kind, salt, hash] = names.split('|');
  if (kind !== '1' || salt === undefined || hash === undefined) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** The host's name as HashKnownHosts writes it. @param salt 20 random bytes */
export function hashedName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** `SHA256:…`, as ssh-keygen prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The host of `[host]:port`; undefined for a name without a port. */
function withoutPort(name: string): string | undefined {
  return /^\[(.*)\]:\d+$/.exec(name)?.[1];
}

/** Compares a key with the entries for the name. For a name with a port, also checks the plain name, like OpenSSH. */
export function judge(entries: readonly KnownKey[], name: string, key: Buffer): Verdict {
  const here = entries.filter((entry) => namesHost(entry, name));
  const plain = withoutPort(name);
  const plainly = plain === undefined ? [] : entries.filter((entry) => namesHost(entry, plain));
  const text = key.toString('base64');
  const same = (entry: KnownKey) => entry.key === text;
  const revoked = [...here, ...plainly].find((entry) => entry.marker === 'revoked' && same(entry));
  if (revoked) return { kind: 'revoked', entry: revoked };
  const plainKeys = here.filter(({ marker }) => marker === 'none');
  if (plainKeys.some(same)) return { kind: 'known' };
  const other = plainKeys.find(({ type }) => type === keyType(key)) ?? plainKeys[0];
  if (other) return { kind: 'changed', entry: other };
  if (plainly.some((entry) => entry.marker === 'none' && same(entry))) return { kind: 'known' };
  return { kind: 'unknown' };
}

/** The certificate authority that must sign the host's key; undefined if a plain key of the host is known. */
export function authorityFor(entries: readonly KnownKey[], name: string): KnownKey | undefined {
  const plain = withoutPort(name);
  const here = entries.filter(
    (entry) => namesHost(entry, name) || (plain !== undefined && namesHost(entry, plain)),
  );
  if (here.some(({ marker }) => marker === 'none')) return undefined;
  return here.find(({ marker }) => marker === 'cert-authority');
}

const ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;
export type HostKeyAlgorithm = (typeof ALGORITHMS)[number];

/**
 * The algorithms to offer a host. Those of its known keys come first: otherwise the host may present a key of another
 * type. Signatures with SHA-1 are not offered, like in OpenSSH since 8.8.
 */
export function hostKeyAlgorithms(entries: readonly KnownKey[], name: string): HostKeyAlgorithm[] {
  const plain = /^\[(.*)\]:\d+$/.exec(name)?.[1];
  const types = (wanted: string) =>
    entries.filter((entry) => entry.marker === 'none' && namesHost(entry, wanted)).map(({ type }) => type);
  let known = new Set(types(name));
  if (known.size === 0 && plain !== undefined) known = new Set(types(plain));
  const isKnown = (algorithm: string) => known.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  return [...ALGORITHMS.filter(isKnown), ...ALGORITHMS.filter((algorithm) => !isKnown(algorithm))];
}
