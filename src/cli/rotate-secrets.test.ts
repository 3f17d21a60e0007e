import { expect, test } from 'vitest';
import type { KeptSecrets } from '../cluster/rotation.ts';
import { STORED_SECRET_NAMES, type StoredSecrets } from '../cluster/secrets.ts';
import { beginOrResume, chooseSecrets } from './rotate-secrets.ts';

const values = Object.fromEntries(STORED_SECRET_NAMES.map((name) => [name, 'x'.repeat(30)])) as StoredSecrets;
const kept: KeptSecrets = { values, generations: {}, since: {} };

test('chooses the named secrets once each, or all that can be rotated', () => {
  expect(chooseSecrets(['api', 'agent', 'api'], false, {})).toEqual(['api', 'agent']);
  expect(chooseSecrets([], true, { operator: 'no' })).toEqual(['agent', 'scheduler', 'executor-key', 'api']);
  expect(() => chooseSecrets(['zookeeper-mesos'], false, { 'zookeeper-mesos': 'tasks would end' })).toThrow(
    "zookeeper-mesos can't be rotated without an outage: tasks would end",
  );
});

test('begins with new values, and continues a rotation with its own', () => {
  const begun = beginOrResume(kept, ['agent', 'api']);
  const others = begun.rotation?.others ?? {};
  expect(Object.keys(others)).toEqual(['agent', 'api']);
  expect(others.agent).toMatch(/^[\w-]{43}$/);
  expect(others.agent).not.toBe(others.api);
  expect(beginOrResume(begun, ['agent'])).toBe(begun);
  expect(() => beginOrResume(begun, ['operator'])).toThrow('the rotation of agent, api is not complete');
});
