import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRegistryAuth } from '../../docker/registry-auth.ts';
import {
  hasAuths,
  parseDockerConfig,
  parseHelperAnswer,
  registryOf,
  serverAddress,
} from './docker-config.ts';

const basic = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
const authsOf = (config: unknown) => {
  const parsed = parseDockerConfig(JSON.stringify(config));
  return 'problem' in parsed ? parsed.problem : Object.fromEntries(parsed.auths);
};

test.each([
  ['redis', 'docker.io'],
  ['johncosta/redis:7', 'docker.io'],
  ['HOST/redis', 'HOST'],
  ['docker.io/library/redis', 'docker.io'],
  ['index.docker.io/library/redis', 'docker.io'],
  ['localhost/redis', 'localhost'],
  ['registry.example/redis', 'registry.example'],
  ['registry:5000/team/redis@sha256:abc', 'registry:5000'],
])('the registry of %s is %s', (image, registry) => {
  expect(registryOf(image)).toBe(registry);
});

describe('the configuration of Docker’s client', () => {
  test('has credentials by registry', () => {
    expect(
      authsOf({
        auths: {
          'https://index.docker.io/v1/': basic('me:a:b'),
          'https://registry.example:5000/v2/': { username: 'u', password: 'p' },
          'token.example': { identitytoken: 't' },
          'bearer.example': { registrytoken: 'r' },
          'helper.example': {},
        },
      }),
    ).toEqual({
      'docker.io': { username: 'me', password: 'a:b', serveraddress: 'https://index.docker.io/v1/' },
      'registry.example:5000': { username: 'u', password: 'p', serveraddress: 'registry.example:5000' },
      'token.example': { identitytoken: 't', serveraddress: 'token.example' },
      'bearer.example': { registrytoken: 'r', serveraddress: 'bearer.example' },
    });
  });

  test('prefers the entry that names the registry itself', () => {
    const auths = {
      'a.example/team': basic('team:x'),
      'a.example': basic('all:x'),
      'a.example/v1/': basic('v1:x'),
    };
    expect(authsOf({ auths })).toMatchObject({ 'a.example': { username: 'all' } });
  });

  test('of old releases has the registries at its top level', () => {
    expect(authsOf({ 'a.example': { ...basic('u:p'), email: 'e' } })).toEqual({
      'a.example': { username: 'u', password: 'p', serveraddress: 'a.example' },
    });
  });

  test('has the names of helper programs', () => {
    const content = { credsStore: 'pass', credHelpers: { 'https://a.example': 'ecr-login', b: 1 } };
    expect(parseDockerConfig(JSON.stringify(content))).toMatchObject({
      helpers: new Map([['a.example', 'ecr-login']]),
      store: 'pass',
    });
  });

  test('is refused without its content, which may be secret', () => {
    expect(parseDockerConfig('{"auths": s3cret')).toEqual({ problem: 'is not a JSON object' });
    expect(authsOf({ auths: 's3cret' })).toBe('auths must be an object');
    expect(authsOf({ auths: { 'a.example': basic('s3cret') } })).toBe(
      'auths of "a.example" must be base64 of USER:PASSWORD',
    );
  });

  test('is distinguished from other files', () => {
    expect(hasAuths('{"auths":{}}')).toBe(true);
    expect(hasAuths('{"debug":true}')).toBe(false);
    expect(hasAuths('debug: true')).toBe(false);
  });

  test('may have any content', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseDockerConfig(text)));
  });
});

test('a helper answers with a user’s password, or with a token', () => {
  const answer = (Username: string, Secret: string) =>
    parseHelperAnswer(JSON.stringify({ ServerURL: 'x', Username, Secret }), 'docker.io');
  const serveraddress = serverAddress('docker.io');
  expect(answer('me', 'pw')).toEqual({ username: 'me', password: 'pw', serveraddress });
  expect(answer('<token>', 't')).toEqual({ identitytoken: 't', serveraddress });
  expect(answer('me', '')).toBeUndefined();
  expect(parseHelperAnswer('credentials', 'docker.io')).toBeUndefined();
});

test('credentials are encoded for a header, with padding', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (username, password) => {
      const auth = { username, password, serveraddress: 'a.example' };
      const text = encodeRegistryAuth(auth);
      expect(text).toMatch(/^[A-Za-z0-9_-]+=*$/);
      expect(text.length % 4).toBe(0);
      expect(JSON.parse(Buffer.from(text, 'base64url').toString())).toEqual(auth);
    }),
  );
});
