/** Reads the public key from a private key file in OpenSSH's format, where it is never encrypted (pure). */

const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----';
const END = '-----END OPENSSH PRIVATE KEY-----';
const MAGIC = 'openssh-key-v1\0';

export interface KeyOutline {
  readonly publicKey: Buffer;
  readonly locked: boolean;
}

/**
 * Reads the head of a key file: magic, cipher, key derivation, its options, the number of keys, the public key; by
 * PROTOCOL.key of OpenSSH. Null for any other format.
 */
export function outlineOpenSshKey(text: string): KeyOutline | null {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) return null;
  const bytes = Buffer.from(text.slice(begin + BEGIN.length, end), 'base64');
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  let at = MAGIC.length;
  const next = (): Buffer | null => {
    if (at + 4 > bytes.length) return null;
    const length = bytes.readUInt32BE(at);
    const value = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return value.length === length ? value : null;
  };
  const cipher = next();
  const derivation = next();
  const derivationOptions = next();
  at += 4;
  const publicKey = next();
  if (!cipher || !derivation || !derivationOptions || !publicKey) return null;
  return { publicKey, locked: cipher.toString('latin1') !== 'none' };
}
