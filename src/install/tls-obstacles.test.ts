import { expect, test } from 'vitest';
import { bareFacts, bareHosts, clusterOf, hostOf } from '../../test/install/hosts.ts';
import type { Facts } from './facts.ts';
import { probeTargets } from './targets.ts';
import {
  asksForTls,
  beginningOf,
  describedObstacle,
  executorObstacle,
  tlsObstacle,
} from './tls-obstacles.ts';

const cluster = clusterOf([hostOf('h1'), hostOf('h2', { roles: ['zookeeper'] })]);
const facts = bareHosts(cluster);
const changed = (change: Partial<Facts>) =>
  new Map([...facts].map(([name, own]) => [name, { ...own, ...change }]));

test('nothing prevents TLS with the packages of ClusterD on systems with systemd', () => {
  expect(tlsObstacle(cluster, facts)).toBeUndefined();
  expect(executorObstacle(cluster, facts)).toBeUndefined();
});

test('the cluster file can refuse TLS, or decide about it itself', () => {
  expect(describedObstacle({ ...cluster, tls: false })?.remedy).toContain('tls: false');
  const own = { ...cluster, schedulerFlags: { https_port: '8443' } };
  expect(tlsObstacle(own, facts)?.message).toContain('sets https_port');
});

test('Upstart prevents it, unless the host has no service with a certificate', () => {
  expect(tlsObstacle(cluster, changed({ init: 'upstart' }))?.message).toContain('h1 has Upstart');
  const only = clusterOf([hostOf('h2', { roles: ['zookeeper'] })]);
  expect(tlsObstacle(only, bareHosts(only, { init: 'upstart' }))).toBeUndefined();
});

test('of another Mesos the owner has to say that it has TLS', () => {
  const other = { ...cluster, mesos: { kind: 'preinstalled' } as const };
  expect(tlsObstacle(other, facts)?.remedy).toContain('tls: true');
  expect(tlsObstacle({ ...other, tls: true }, facts)).toBeUndefined();
  // Also of a host that is unreachable.
  expect(tlsObstacle(other, new Map())?.message).toContain('not known whether the Mesos of h1');
});

test('the probe finds out whether another Mesos has it, and its answer decides', () => {
  const other = { ...cluster, mesos: { kind: 'preinstalled' } as const };
  expect(tlsObstacle(other, changed({ mesosTls: true }))).toBeUndefined();
  const without = changed({ mesosTls: false });
  expect(tlsObstacle({ ...other, tls: true }, without)?.message).toBe(
    'the Mesos of h1 was built without TLS',
  );
  const [h1, h2] = other.hosts;
  if (!h1 || !h2) throw new TypeError();
  expect([h1, h2].map((host) => asksForTls(other, host))).toEqual([true, false]);
  expect(asksForTls({ ...other, tls: false }, h1)).toBe(false);
  expect(asksForTls(cluster, h1)).toBe(false);
  expect(probeTargets(other, h1).mesosTls).toBe(true);
  expect(probeTargets(cluster, h1)).not.toHaveProperty('mesosTls');
});

test('a new cluster begins with TLS unless its file refuses it, or something prevents it', () => {
  expect(beginningOf(cluster, facts)).toEqual({ tls: true });
  expect(beginningOf({ ...cluster, tls: false }, facts)).toEqual({ tls: false });
  const other = { ...cluster, mesos: { kind: 'preinstalled' } as const };
  expect(beginningOf(other, facts)).toMatchObject({ tls: false, obstacle: { remedy: expect.any(String) } });
  expect(beginningOf({ ...other, tls: true }, facts)).toEqual({ tls: true });
});

test('beside a Mesos that runs already, a new cluster has TLS only if its file says so', () => {
  const runs = changed({ agent: { ...bareFacts('10.0.0.1').agent, answers: true } });
  expect(beginningOf(cluster, runs).obstacle?.message).toBe('a Mesos runs on h1 already');
  expect(beginningOf({ ...cluster, tls: true }, runs)).toEqual({ tls: true });
});

test('executors that could not use TLS prevent it', () => {
  const user = { ...cluster, schedulerFlags: { mesos_user: 'nobody' } };
  expect(executorObstacle(user, facts)?.message).toContain('nobody');
  expect(executorObstacle({ ...cluster, schedulerFlags: { mesos_user: 'root' } }, facts)).toBeUndefined();
  const [own] = [...facts.values()];
  if (!own) throw new TypeError();
  const leads = { ...own.master, elected: true, frameworksActive: 2 };
  expect(executorObstacle(cluster, changed({ master: leads }))?.message).toContain('other frameworks');
  const mesosup = { ...own.mesosup, current: '2.0.0', inUse: ['1.0.0', '2.0.0'] };
  expect(executorObstacle(cluster, changed({ mesosup }))?.message).toContain('mesosup 1.0.0 still run on h1');
});
