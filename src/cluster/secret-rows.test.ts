import { expect, test } from 'vitest';
import { beginRotation, type KeptSecrets, nextPhase } from './rotation.ts';
import { secretRows, secretsTable } from './secret-rows.ts';
import { STORED_SECRET_NAMES, type StoredSecrets } from './secrets.ts';

const DAY_MS = 86_400_000;
const values = Object.fromEntries(
  STORED_SECRET_NAMES.map((name) => [name, `value-of-${name}`]),
) as StoredSecrets;
const kept: KeptSecrets = { values, generations: { api: 3 }, since: { api: DAY_MS } };

test('lists age, generation and phase of each secret, and why one is not rotated', () => {
  const rotating = nextPhase(beginRotation(kept, { agent: 'new-value' }), 2 * DAY_MS);
  const rows = secretRows(rotating, 3.5 * DAY_MS);
  expect(rows.map(({ name }) => name)).toEqual(STORED_SECRET_NAMES);
  const of = (name: string) => rows.find((row) => row.name === name);
  expect(of('api')).toMatchObject({ generation: 3, days: 2, made: '1970-01-02T00:00:00.000Z' });
  expect(of('agent')).toMatchObject({ generation: 2, days: 1, phase: 'use' });
  expect(of('operator')).not.toHaveProperty('days');
  expect(of('zookeeper-mesos')?.notRotated).toContain('znodes');
  expect(secretRows(kept, 0).find(({ name }) => name === 'api')?.days).toBe(0);
});

test('the table shows no value', () => {
  const text = secretsTable(secretRows(kept, 3 * DAY_MS), { width: undefined, wide: true });
  expect(text.split('\n')[0]).toMatch(/^NAME +USED BY +DAYS +GENERATION +ROTATION +WHY NOT$/);
  expect(text).toMatch(/^agent +agents, at masters +unknown +1$/m);
  expect(text).toMatch(/^zookeeper-mesos .* unknown +1 +not possible +the znodes/m);
  expect(text).not.toMatch(/value/);
});
