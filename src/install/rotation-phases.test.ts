import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  bareFacts,
  bareHosts,
  clusterOf,
  hostOf,
  payload,
  planInput,
  secrets,
  sha256,
  templates,
} from '../../test/install/hosts.ts';
import { applyToFacts } from '../../test/install/model-host.ts';
import { anyCluster, anyHosts } from '../../test/install/random-cluster.ts';
import { runs } from '../../test/support/runs.ts';
import type { Cluster } from '../cluster/cluster.ts';
import {
  beginRotation,
  type KeptSecrets,
  ROTATABLE,
  remainingPhases,
  secretsFrom,
} from '../cluster/rotation.ts';
import { type Secrets, type StoredSecretName, withoutDerived } from '../cluster/secrets.ts';
import type { Facts } from './facts.ts';
import type { Plan } from './plan.ts';
import { planCluster } from './plan-cluster.ts';
import { renderPlan } from './render-plan.ts';
import { afterRotation, planPhases, refusedRotations, renderPhases } from './rotation-phases.ts';

const kept: KeptSecrets = { values: withoutDerived(secrets), generations: {}, since: {} };
const complete = (one: KeptSecrets) =>
  secretsFrom(one, (key, text) => createHmac('sha256', key).update(text).digest('base64url'));

function phasesOf(
  names: readonly StoredSecretName[],
  from = kept,
): { phase: 'accept' | 'use' | 'withdraw'; secrets: Secrets }[] {
  const fresh = Object.fromEntries(names.map((name) => [name, `fresh-${name}-${'x'.repeat(20)}`]));
  return remainingPhases(beginRotation(from, fresh), 0).map(({ phase, kept: one }) => ({
    phase,
    secrets: complete(one),
  }));
}

const roles = ['zookeeper', 'master', 'scheduler', 'agent', 'lb'] as const;
const three = clusterOf(
  ['h1', 'h2', 'h3'].map((name) => hostOf(name, { roles })),
  { monitoring: { listen: 'loopback', port: 9105 } },
);

function planOf(names: readonly StoredSecretName[], cluster: Cluster = three) {
  const input = { cluster, facts: bareHosts(cluster), templates, payload, sha256 };
  return planPhases(input, complete(kept), phasesOf(names));
}

/** By phase, what restarts on the first host. */
function restarts(names: readonly StoredSecretName[]): Record<string, readonly string[]> {
  return Object.fromEntries(planOf(names).map(({ phase, hosts }) => [phase, hosts[0]?.restarts ?? []]));
}

describe('the phases restart only what reads the secret', () => {
  it.each([
    ['agent', ['mesos-master'], ['mesos-agent'], ['mesos-master']],
    ['operator', ['mesos-master', 'mesos-agent'], ['mesosup-monitoring'], ['mesos-master', 'mesos-agent']],
    [
      'scheduler',
      ['mesos-agent', 'mesosup-scheduler'],
      ['mesos-master', 'mesosup-scheduler'],
      ['mesos-agent', 'mesosup-scheduler'],
    ],
    ['api', ['mesosup-scheduler'], ['mesosup-lb'], ['mesosup-scheduler']],
    ['executor-key', [], ['mesos-agent'], []],
  ] as const)('%s', (name, accept, use, withdraw) => {
    expect(restarts([name])).toEqual({ accept, use, withdraw });
  });
});

test('the plan names phases, hosts and services, and shows no secret', () => {
  const text = renderPhases(planOf(['agent']));
  expect(text.split('\n').slice(0, 2)).toEqual([
    'accept: services accept the new secrets besides the old ones',
    '  h1: 1 file, restarts mesos-master',
  ]);
  expect(text).not.toMatch(/fresh-|x{20}/);
  const unreachable = {
    cluster: three,
    facts: new Map([...bareHosts(three)].slice(1)),
    templates,
    payload,
    sha256,
  };
  expect(
    planPhases(unreachable, complete(kept), phasesOf(['agent']))
      .at(-1)
      ?.hosts.map(({ host }) => host),
  ).toEqual(['h2', 'h3']);
});

test('says which secrets of a cluster can not be rotated, and why', () => {
  expect(Object.keys(refusedRotations(three)).sort()).toEqual(['zookeeper-mesos', 'zookeeper-scheduler']);
  const own = clusterOf([hostOf('h1', { roles, masterFlags: { acls: 'file:///acls' } })]);
  expect(refusedRotations(own)).toMatchObject({ agent: expect.stringContaining('the flag acls') });
  expect(refusedRotations(own).api).toBeUndefined();
  expect(refusedRotations(three, new Map(), false).agent).toContain('adopted');
  const asUser = clusterOf([hostOf('h1', { roles })], { schedulerFlags: { mesos_user: 'anna' } });
  expect(refusedRotations(asUser)['executor-key']).toContain('the user anna');
  const [facts = bareFacts('10.0.0.1')] = bareHosts(three).values();
  const key = (changes: Partial<Facts>) =>
    refusedRotations(three, new Map([['h1', { ...facts, ...changes }]]))['executor-key'];
  const { master, mesosup } = facts;
  expect(key({})).toBeUndefined();
  expect(key({ master: { ...master, elected: true, frameworksActive: 1 } })).toBeUndefined();
  expect(key({ master: { ...master, elected: true, frameworksActive: 2 } })).toContain('other frameworks');
  expect(key({ mesosup: { ...mesosup, current: 'b', inUse: ['b'] } })).toBeUndefined();
  expect(key({ mesosup: { ...mesosup, current: 'b', inUse: ['a', 'b'] } })).toMatch(
    /mesosup a still run on h1/,
  );
});

test('says what people have to do afterwards', () => {
  expect(afterRotation(three, ['api', 'operator']).join('\n')).toMatch(
    /context[\s\S]*Prometheus[\s\S]*principal[\s\S]*backup/,
  );
  expect(afterRotation({ ...three, monitoring: undefined as never }, ['api']).join('\n')).not.toMatch(
    /Prometheus/,
  );
  expect(afterRotation(three, ['agent'])).toHaveLength(1);
});

function applied(plan: Plan, facts: ReadonlyMap<string, Facts>, present: Secrets): Map<string, Facts> {
  return new Map(
    [...facts].map(([name, own]) => {
      const host = plan.hosts.find((one) => one.host === name);
      return [name, host ? applyToFacts(own, host, host.items.length, present) : own];
    }),
  );
}

test('in any cluster, the installer makes each phase complete, restarts what the phases say, and shows no secret', () => {
  const clusters = anyCluster.chain((cluster) =>
    fc.record({ cluster: fc.constant(cluster), facts: anyHosts(cluster) }),
  );
  fc.assert(
    fc.property(clusters, fc.subarray([...ROTATABLE], { minLength: 1 }), ({ cluster, facts }, names) => {
      let now = applied(
        planCluster(planInput(cluster, facts, { start: true, secrets: complete(kept) })),
        facts,
        complete(kept),
      );
      const phases = phasesOf(names);
      const shown = planPhases({ cluster, facts: now, templates, payload, sha256 }, complete(kept), phases);
      for (const [at, { secrets: present }] of phases.entries()) {
        const plan = planCluster(planInput(cluster, now, { secrets: present }));
        const restarted = plan.hosts.flatMap(({ host, items }) =>
          items
            .filter(({ action }) => action === 'restart')
            .map(({ id }) => `${host} ${id.replace('service:', '')}`),
        );
        const expected = (shown[at]?.hosts ?? []).flatMap(({ host, restarts: names }) =>
          names.map((name) => `${host} ${name}`),
        );
        expect(restarted.toSorted()).toEqual(expected.toSorted());
        expect(renderPlan(plan, { colour: false, changes: 'diff' })).not.toMatch(/fresh-/);
        expect(JSON.stringify(plan)).not.toMatch(/fresh-/);
        now = applied(plan, now, present);
        expect(
          planCluster(planInput(cluster, now, { secrets: present })).hosts.flatMap(({ items }) => items),
        ).toEqual([]);
      }
    }),
    { numRuns: runs(30) },
  );
});
