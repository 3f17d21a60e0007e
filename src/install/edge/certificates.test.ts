import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { issueLeaves, makeAuthority } from '../../cluster/edge/authority.ts';
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
  expect(found[0]).not.toHaveProperty('isTrusted');
});

test('reads who signed a certificate, and if an authority of the cluster did', async () => {
  const [one, two] = await Promise.all([makeAuthority('one', 1, 'x', 0), makeAuthority('one', 1, 'x', 0)]);
  const names = { host: 'h1', service: 'agent', names: ['h1', '10.0.0.1'] } as const;
  const [leaf] = await issueLeaves(one, [names], { passPhrase: 'x', now: 0, file: 'x' });
  const read = (authority: string) => readCertificates(leaf?.certificate ?? '', authority)[0];
  expect(read(one.certificate)).toMatchObject({ isTrusted: true, names: ['h1', '10.0.0.1'] });
  expect(read(one.certificate)?.issuer).toBe(readCertificates(one.certificate)[0]?.subject);
  // It has the same name.
  expect(read(two.certificate)?.isTrusted).toBe(false);
  expect(read(`${two.certificate}${one.certificate}`)?.isTrusted).toBe(true);
});
