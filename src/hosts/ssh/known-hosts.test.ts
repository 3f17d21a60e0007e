import { expect, test } from 'vitest';
import {
  authorityFor,
  fingerprint,
  hashedName,
  hostKeyAlgorithms,
  judge,
  keyType,
  parseKnownHosts,
} from './known-hosts.ts';

function makeKey(type: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(body)]);
}

const ed = makeKey('ssh-ed25519', 'one');
const ed2 = makeKey('ssh-ed25519', 'two');
const rsa = makeKey('ssh-rsa', 'three');

function line(names: string, key: Buffer): string {
  return `${names} ${keyType(key)} ${key.toString('base64')} a comment`;
}

function known(...lines: string[]) {
  return parseKnownHosts('/k', lines.join('\n'));
}

test('matches plain, listed, wildcard, negated and hashed names', () => {
  const salt = Buffer.alloc(20, 1);
  for (const names of ['web', 'x,web', 'w*', '*,!other', hashedName('web', salt), 'WEB']) {
    expect(judge(known(line(names, ed)), 'web', ed), names).toEqual({ kind: 'known' });
  }
  for (const names of ['webb', '*,!web', '?', hashedName('other', salt), '|2|a|b', '|1|x']) {
    expect(judge(known(line(names, ed)), 'web', ed).kind, names).toBe('unknown');
  }
});

test('treats the port as part of the name, and accepts the plain name only with the same key', () => {
  expect(judge(known(line('[web]:22', ed)), 'web', ed).kind).toBe('unknown');
  expect(judge(known(line('[web]:2222', ed)), '[web]:2222', ed).kind).toBe('known');
  expect(judge(known(line('web', ed)), '[web]:2222', ed).kind).toBe('known');
  expect(judge(known(line('web', ed2)), '[web]:2222', ed).kind).toBe('unknown');
  expect(judge(known(line('web', ed), line('[web]:2222', ed2)), '[web]:2222', ed).kind).toBe('changed');
});

test('accepts one of several keys, and treats any other key as changed, even of another type', () => {
  expect(judge(known(line('web', rsa), line('web', ed)), 'web', ed).kind).toBe('known');
  expect(judge(known(line('web', rsa), line('web', ed2)), 'web', ed)).toMatchObject({
    kind: 'changed',
    entry: { file: '/k', line: 2 },
  });
  expect(judge(known(line('web', rsa)), 'web', ed).kind).toBe('changed');
});

test('refuses a revoked key even if it is known', () => {
  const entries = known(line('web', ed), line('@revoked *', ed));
  expect(judge(entries, 'web', ed)).toMatchObject({ kind: 'revoked', entry: { line: 2 } });
  expect(judge(entries, '[web]:2', ed).kind).toBe('revoked');
  expect(judge(known(line('@revoked *', ed), line('web', ed2)), 'web', ed2).kind).toBe('known');
});

test('does not accept a plain key because of a certificate authority', () => {
  expect(judge(known(line('@cert-authority *', ed)), 'web', ed)).toEqual({ kind: 'unknown' });
});

test('finds the certificate authority of a host without a plain key, also by the name without port', () => {
  const authority = line('@cert-authority *.inside,web', ed);
  const name = (text: string, host: string) => authorityFor(known(text), host)?.line;
  expect(name(authority, 'web')).toBe(1);
  expect(name(authority, '[a.inside]:2222')).toBe(1);
  expect(name(authority, 'other')).toBeUndefined();
  expect(name(`${authority}\n${line('web', ed)}`, 'web')).toBeUndefined();
  expect(name(`${line('@revoked *', ed)}\n${authority}`, 'web')).toBe(2);
});

test('skips lines that are not entries', () => {
  expect(
    known(
      '',
      '# web',
      'web',
      'web ssh-rsa',
      `web ssh-rsa ${ed.toString('base64')}`,
      '@other web a b',
      'web x ?',
    ),
  ).toEqual([]);
  expect(known(`\t${line('web', ed)}\r`)).toHaveLength(1);
});

test('offers the algorithms of known keys first, and never SHA-1', () => {
  const [first, second] = hostKeyAlgorithms(known(line('web', rsa)), 'web');
  expect([first, second]).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
  expect(hostKeyAlgorithms(known(line('web', rsa)), '[web]:2')[0]).toBe('rsa-sha2-512');
  expect(hostKeyAlgorithms([], 'web')[0]).toBe('ssh-ed25519');
  expect(hostKeyAlgorithms(known(line('web', rsa)), 'web')).not.toContain('ssh-rsa');
  expect(hostKeyAlgorithms(known(line('web', rsa)), 'web')).toHaveLength(6);
});

test('computes the same fingerprint as ssh-keygen', () => {
  // ssh-keygen -lf of: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDU8jC1k+3yCsH1cwiVSw1MPuLEgNIFCFQ340l7B4Iax
  const key = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIDU8jC1k+3yCsH1cwiVSw1MPuLEgNIFCFQ340l7B4Iax', 'base64');
  expect(fingerprint(key)).toBe('SHA256:81rADz5UBwAAI/SwghQtO0WY+GmGVoQyEPy1BUewcAs');
});
