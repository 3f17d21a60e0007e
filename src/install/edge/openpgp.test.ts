import { describe, expect, test } from 'vitest';
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
/** The same, born on 2020-01-01 for 30 days. */
const EXPIRED = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEXgvhABYJKwYBBAHaRw8BAQdAVDaBKUPWI34RaInNyHnBWuwJs+qcTn8Lnrl+
V1mtYHO0F0xhYiB0d28gPHR3b0Bsb2NhbGhvc3Q+iJYEExYIAD4WIQTGk92v9JD9
vMzH9Htto3YZvIXISQUCXgvhAAIbAwUJACeNAAULCQgHAgYVCgkICwIEFgIDAQIe
AQIXgAAKCRBto3YZvIXISTzZAQDgoTSU5v9PjLYN1tRDzsJ9ZDEkmukGFp7DbzZN
WQd2jgEArh94pFgfxVZj2uFZhS22Mt3OgzwKodQK8/A8HnRvMA8=
=m+jm
-----END PGP PUBLIC KEY BLOCK-----
`;
const lasting = '02961E66CD8E85452C61B62BB17EE96C42B9D76E';
const expired = 'C693DDAFF490FDBCCCC7F47B6DA37619BC85C849';

const summary = (file: Buffer) =>
  readKeys(file).map(({ fingerprint, expires }) => ({ fingerprint, expires }));

describe('readKeys', () => {
  test("gives GnuPG's fingerprints and ends, of text and of bytes alike", () => {
    const both = [
      { fingerprint: lasting, expires: undefined },
      { fingerprint: expired, expires: Date.parse('2020-01-31T00:00:00Z') },
    ];
    const text = Buffer.from(LASTING + EXPIRED);
    expect(summary(text)).toEqual(both);
    expect(summary(Buffer.from(text.toString().replaceAll('\n', '\r\n')))).toEqual(both);
    expect(summary(Buffer.concat(readKeys(text).map((key) => key.packets)))).toEqual(both);
  });

  test('refuses what is no key, or half of one', () => {
    const [key] = readKeys(Buffer.from(LASTING));
    expect(() => readKeys(Buffer.from('<html>not found</html>'))).toThrow('it is no OpenPGP key');
    expect(() => readKeys(Buffer.alloc(0))).toThrow(TypeError);
    expect(() => readKeys(key?.packets.subarray(0, -9) ?? Buffer.alloc(0))).toThrow(/damaged/);
    // It begins with a name instead of a key.
    expect(() => readKeys(key?.packets.subarray(53) ?? Buffer.alloc(0))).toThrow('no public OpenPGP key');
  });
});

test('armour writes what GnuPG writes', () => {
  const [key] = readKeys(Buffer.from(EXPIRED));
  expect(armour(key?.packets ?? Buffer.alloc(0))).toBe(EXPIRED);
});
