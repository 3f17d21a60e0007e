import { describe, expect, test } from 'vitest';
import {
  containsSecrets,
  type ImagePolicy,
  imagePolicyFields,
  pullSettings,
  registriesOf,
} from './image-policy.ts';
import { objectOf } from './json-shape.ts';

const problem = (policy: unknown) => objectOf(imagePolicyFields).problem(policy, '')?.replace(/^\./, '');

describe('the policy for images', () => {
  test('accepts every kind of credentials', () => {
    const policy: ImagePolicy = {
      registries: {
        'docker.io': { username: 'u', password: 'p' },
        'registry.example:5000': { username: 'u', passwordFile: '/etc/pw' },
        '[2001:db8::1]:5000': { identityToken: 't' },
      },
      dockerConfig: '/etc/docker-client.json',
      pullTimeoutSeconds: 60,
      pullAttempts: 1,
      images: { cleanUp: true, unusedDays: 7, maxDiskPercent: 80, keep: ['base/*'] },
    };
    expect(problem(policy)).toBeUndefined();
    expect([...registriesOf(policy).keys()]).toEqual([
      'docker.io',
      'registry.example:5000',
      '[2001:db8::1]:5000',
    ]);
    expect(pullSettings(policy)).toEqual({ timeoutMs: 60_000, attempts: 1 });
  });

  test.each([
    [
      { 'https://a.example': {} },
      'registries.https://a.example must be the host of a registry, for example registry.example:5000',
    ],
    [
      { a: { username: 'u' } },
      'registries.a must have username with password or passwordFile, or identityToken alone',
    ],
    [
      { a: { username: 'u', password: 'p', ca: '/x' } },
      'registries.a must have username with password or passwordFile, or identityToken alone',
    ],
    [{ a: { username: 'u', password: 1 } }, 'registries.a.password must be a string'],
    [{ a: { username: 'u', passwordFile: 'pw' } }, 'registries.a.passwordFile must be an absolute path'],
    [{ a: 'u:p' }, 'registries.a must be an object'],
    ['a', 'registries must be an object'],
  ])('refuses the registries %j', (registries, text) => {
    expect(problem({ registries })).toBe(text);
  });

  test('refuses other wrong values with their path', () => {
    expect(problem({ dockerConfig: 'x' })).toBe('dockerConfig must be an absolute path');
    expect(problem({ pullTimeoutSeconds: 0 })).toBe(
      'pullTimeoutSeconds must be a whole number from 1 to 86400',
    );
    expect(problem({ images: { unusedDays: 0 } })).toBe(
      'images.unusedDays must be a whole number from 1 to 3650',
    );
    expect(problem({ images: { days: 1 } })).toBe('images.days is not a key of this file');
  });

  test('knows whether it contains secrets itself', () => {
    expect(containsSecrets({})).toBe(false);
    expect(containsSecrets({ registries: { a: { username: 'u', passwordFile: '/pw' } } })).toBe(false);
    expect(containsSecrets({ registries: { a: { username: 'u', password: 'p' } } })).toBe(true);
    expect(containsSecrets({ registries: { a: { identityToken: 't' } } })).toBe(true);
  });
});
