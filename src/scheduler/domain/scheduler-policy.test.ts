import { describe, expect, it, test } from 'vitest';
import { allowsUri, parsePolicy } from './scheduler-policy.ts';

describe('the scheduler’s policy', () => {
  it('allows nothing that it does not name, except URIs of the web', () => {
    expect(parsePolicy({})).toEqual({
      policy: {
        allowCommands: false,
        allowedExecutors: [],
        allowedContainerizers: [],
        allowedUsers: [],
        allowedUris: ['http://', 'https://'],
      },
    });
  });

  it.each([
    ['no JSON', /must be a JSON object/],
    [{ allowCommand: true }, /has the unknown key allowCommand/],
    [{ allowCommands: 'yes' }, /^allowCommands must be true or false/],
    [{ allowedContainerizers: ['x'] }, /^allowedContainerizers.0 must be docker or mesos/],
    [{ allowedUsers: [''] }, /^allowedUsers.0 may not be empty/],
  ])('is refused if it is %j', (content, problem) => {
    expect(parsePolicy(content)).toEqual({ problem: expect.stringMatching(problem) });
  });
});

test.each([
  ['http://x/y', true],
  ['https://x/%2e%2e/y', true],
  ['file:///etc/docker.tar.gz', true],
  ['file:///srv/files/a.tgz', true],
  ['file:///etc/shadow', false],
  ['file:///etc/docker.tar.gz/../shadow', false],
  ['file:///srv/files/../../etc/shadow', false],
  ['file:///srv/files/..', false],
  ['file:///srv/files/%2e%2e/x', false],
  ['file:///srv/filesystem', false],
  ['/etc/shadow', false],
  [' http://x', false],
  ['HTTP://x', false],
  ['ftp://files/apps/a.tgz', true],
  ['ftp://files/apps/../x', false],
])('fetching %s is allowed: %s', (uri, expected) => {
  const allowedUris = [
    'http://',
    'https://',
    'file:///etc/docker.tar.gz',
    'file:///srv/files/',
    'ftp://files/apps/',
  ];
  const parsed = parsePolicy({ allowedUris });
  if ('problem' in parsed) throw new Error(parsed.problem);
  expect(allowsUri(parsed.policy, uri)).toBe(expected);
});

test.each([
  ['https://files/apps/a..b/%20/...', true],
  ['https://files/apps/x?y=../z', true],
  ['https://files/apps/../secret', false],
  ['https://files/apps/x/%2e%2E/../secret', false],
  ['https://files/apps/.%2e', false],
  ['https://files/apps/..?x', false],
  ['https://files/apps/x%2f..%2f..%2fsecret', false],
  ['https://files/apps/..\\secret', false],
  ['https://files.evil/apps/x', false],
])('fetching %s from a part of a site is allowed: %s', (uri, expected) => {
  const parsed = parsePolicy({ allowedUris: ['https://files/apps/'] });
  if ('problem' in parsed) throw new Error(parsed.problem);
  expect(allowsUri(parsed.policy, uri)).toBe(expected);
});
