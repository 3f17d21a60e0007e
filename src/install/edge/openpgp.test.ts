import { describe, expect, test } from 'vitest';
import { EXPIRED_FINGERPRINT, EXPIRED_KEY } from '../../../test/support/expired-key.ts';
import { armour, readKeys } from './openpgp.ts';

/** Made by GnuPG 2.2, ed25519, never expiring. */
const LASTING = `-----BEGIN PGP PUBLIC KEY BLOCK-----
Comment: a header

mDMEawN5GhYJKwYBBAHaRw8BAQdAf2bEAbYcjcRSgamgGN0wTyixRFJC/uei7knq
hZvaaOa0F0xhYiBvbmUgPG9uZUBsb2NhbGhvc3Q+iJAEExYIADgWIQQClh5mzY6F
RSxhtiuxfulsQrnXbgUCawN5GgIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRCxfulsQrnXbmk8AP4uDqHHIL50kgrM+1U2Py4ZmwFV4hZWvCRuvPMJYMBcIAEA
reAYFqsM+doiwYg5DuvP7yAeSxsj6wP7/L0kggF6UwA=
=lbLp
-----END PGP PUBLIC KEY BLOCK-----
`;
const lasting = '02961E66CD8E85452C61B62BB17EE96C42B9D76E';

const summary = (file: Buffer) =>
  readKeys(file).map(({ fingerprint, expires }) => ({ fingerprint, expires }));

describe('readKeys', () => {
  test('gives the same fingerprints and expiry as GnuPG, for text and for bytes', () => {
    const both = [
      { fingerprint: lasting, expires: undefined },
      { fingerprint: EXPIRED_FINGERPRINT, expires: Date.parse('2020-01-31T00:00:00Z') },
    ];
    const text = Buffer.from(LASTING + EXPIRED_KEY);
    expect(summary(text)).toEqual(both);
    expect(summary(Buffer.from(text.toString().replaceAll('\n', '\r\n')))).toEqual(both);
    expect(summary(Buffer.concat(readKeys(text).map((key) => key.packets)))).toEqual(both);
  });

  test('refuses a file that is not a key, or is incomplete', () => {
    const [key] = readKeys(Buffer.from(LASTING));
    expect(() => readKeys(Buffer.from('<html>not found</html>'))).toThrow('it is not an OpenPGP key');
    expect(() => readKeys(Buffer.alloc(0))).toThrow(TypeError);
    expect(() => readKeys(key?.packets.subarray(0, -9) ?? Buffer.alloc(0))).toThrow(/damaged/);
    // It begins with a name instead of a key.
    expect(() => readKeys(key?.packets.subarray(53) ?? Buffer.alloc(0))).toThrow('no public OpenPGP key');
  });
});

test('armour writes the same text as GnuPG', () => {
  const [key] = readKeys(Buffer.from(EXPIRED_KEY));
  expect(armour(key?.packets ?? Buffer.alloc(0))).toBe(EXPIRED_KEY);
});
