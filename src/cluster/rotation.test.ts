import { describe, expect, it, test } from 'vitest';
import {
  acceptedCredentials,
  acceptedMarks,
  acceptedPrincipals,
  beginRotation,
  type KeptSecrets,
  nextPhase,
  remainingPhases,
  secretsFrom,
  usedCredential,
} from './rotation.ts';
import { reveal, type Secrets, STORED_SECRET_NAMES, type StoredSecrets, secretValues } from './secrets.ts';
import { encodeSecrets, secretsFile } from './stored-secrets.ts';

const MADE = 1000;
const values = Object.fromEntries(
  STORED_SECRET_NAMES.map((name) => [name, `old-${name}-${'x'.repeat(20)}`]),
) as StoredSecrets;
const settled: KeptSecrets = { values, generations: {}, since: { agent: MADE } };
const fresh = { agent: `new-agent-${'x'.repeat(20)}`, operator: `new-operator-${'x'.repeat(20)}` };
const hmac = (key: string, text: string) => `${key}/${text}`;
const from = (kept: KeptSecrets) => secretsFrom(kept, hmac);

/** What a service of this kind accepts: principal and secret. */
function accepted(base: string, name: Parameters<typeof acceptedCredentials>[1], secrets: Secrets): string[] {
  return acceptedCredentials(base, name, secrets).map(
    ({ principal, secret }) => `${principal}:${reveal(secret, secrets)}`,
  );
}

function used(base: string, name: Parameters<typeof usedCredential>[1], secrets: Secrets): string {
  const { principal, secret } = usedCredential(base, name, secrets);
  return `${principal}:${reveal(secret, secrets)}`;
}

describe('the phases of a rotation', () => {
  const phases = remainingPhases(beginRotation(settled, fresh), 2000);

  it('come in their order, and end', () => {
    expect(phases.map(({ phase }) => phase)).toEqual(['accept', 'use', 'withdraw']);
    const end = nextPhase(phases[2]?.kept ?? settled, 3000);
    expect(end).toEqual({
      values: { ...values, ...fresh },
      generations: { agent: 2, operator: 2 },
      since: { agent: 2000, operator: 2000 },
    });
    expect(remainingPhases(end, 3000)).toEqual([]);
    expect(() => nextPhase(end, 3000)).toThrow('no secrets are being rotated');
    expect(() => beginRotation(beginRotation(settled, fresh), fresh)).toThrow('already');
  });

  it('let services accept what clients use in this phase and in the ones beside it', () => {
    const all = [settled, ...phases.map(({ kept }) => kept), nextPhase(phases[2]?.kept ?? settled, 3000)].map(
      from,
    );
    for (const [base, name] of [
      ['mesos-agent', 'agent'],
      ['operator', 'operator'],
      ['mesosup-monitoring', 'monitoring'],
      ['mesosup', 'scheduler'],
    ] as const) {
      for (const [at, secrets] of all.entries()) {
        const services = all.slice(Math.max(0, at - 1), at + 2);
        for (const service of services)
          expect([name, at, accepted(base, name, service)]).toEqual([
            name,
            at,
            expect.arrayContaining([used(base, name, secrets)]),
          ]);
      }
    }
    // Each step is needed: two further, the client would be refused.
    expect(accepted('operator', 'operator', all[3] as Secrets)).not.toContain(
      used('operator', 'operator', all[1] as Secrets),
    );
  });

  it('give a new secret a new principal, and change no file of a service between accept and use', () => {
    const [accept, use, withdraw] = phases.map(({ kept }) => from(kept)) as [Secrets, Secrets, Secrets];
    const both = [`operator:${values.operator}`, `operator-2:${fresh.operator}`];
    expect(accepted('operator', 'operator', accept)).toEqual(both);
    expect(accepted('operator', 'operator', use)).toEqual(both);
    expect(accepted('operator', 'operator', withdraw)).toEqual([`operator-2:${fresh.operator}`]);
    expect([accept, use, withdraw].map((one) => used('operator', 'operator', one))).toEqual([
      both[0],
      both[1],
      both[1],
    ]);
    expect(acceptedPrincipals('mesosup-monitoring', 'monitoring', use)).toEqual([
      'mesosup-monitoring',
      'mesosup-monitoring-2',
    ]);
    expect(accepted('mesosup-monitoring', 'monitoring', use)).toEqual([
      `mesosup-monitoring:${values.operator}/monitoring`,
      `mesosup-monitoring-2:${fresh.operator}/monitoring`,
    ]);
    expect(acceptedMarks('api', use)).toHaveLength(1);
  });

  it('know all values, so that none is shown', () => {
    const shown = secretValues(from(phases[1]?.kept ?? settled));
    for (const one of [...Object.values(values), ...Object.values(fresh)]) expect(shown).toContain(one);
    expect(shown).toContain(`${values.operator}/monitoring`);
  });
});

test('secrets that were never rotated are as before', () => {
  expect(from(settled)).not.toHaveProperty('rotated');
});

describe('the stored secrets', () => {
  const stored = (kept: KeptSecrets) =>
    JSON.parse(JSON.stringify(encodeSecrets(kept))) as Record<string, unknown>;

  it('are the same when they are read', () => {
    for (const { kept } of [{ kept: settled }, ...remainingPhases(beginRotation(settled, fresh), 1)])
      expect(secretsFile.read(stored(kept))).toEqual(kept);
  });

  it('are the file of releases without a rotation, with additions that those ignore', () => {
    expect(stored({ ...settled, since: {} })).toMatchObject({ ...values });
    expect(secretsFile.read({ ...values })).toEqual({ values, generations: {}, since: {} });
  });

  it('are refused if they are damaged', () => {
    const rotating = stored(beginRotation(settled, fresh));
    for (const damage of [
      { agent: 'short' },
      { rotation: 'x' },
      { rotation: { phase: 'later', others: fresh } },
      { rotation: { phase: 'use', others: {} } },
    ])
      expect(secretsFile.read({ ...rotating, ...damage })).toBeUndefined();
    expect(secretsFile.read({ ...rotating, since: { agent: 'x' }, generations: 3 })).toMatchObject({
      since: {},
      generations: {},
    });
  });
});
