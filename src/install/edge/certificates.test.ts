import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { readCertificates } from './certificates.ts';

test('reads the name and the end of each certificate, and leaves out what is none', () => {
  const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 40 -keyout /dev/null';
  const made = (subject: string) =>
    execFileSync('openssl', [...args.split(' '), '-subj', subject], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const found = readCertificates(`${made('/CN=shop.example')}text\n${broken}${made('/O=Example/C=DE')}`);
  expect(found.map(({ subject }) => subject)).toEqual(['shop.example', expect.stringMatching(/O=Example/)]);
  for (const { expires } of found) {
    expect(Math.round((expires - Date.now()) / 86_400_000)).toBe(40);
  }
  expect(readCertificates('')).toEqual([]);
});
