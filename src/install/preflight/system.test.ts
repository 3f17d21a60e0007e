import { expect, test } from 'vitest';
import { bareFacts, clusterOf, hostOf, payload, REPOSITORY } from '../../../test/install/hosts.ts';
import { checkHost, mesosFile, render, systemFacts } from '../../../test/install/preflight.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { CLUSTERD } from '../../cluster/repositories.ts';
import type { Facts } from '../facts.ts';
import { preflight } from './preflight.ts';

/** From the project's own repository, the default of a spec. */
const clusterd: Partial<Cluster> = { mesos: { kind: 'clusterd', repository: CLUSTERD } };

test.each([
  ['debian', '11'],
  ['debian', '12'],
  ['ubuntu', '22.04'],
  ['ubuntu', '24.04'],
])('accepts %s %s, for which ClusterD has a package', (id, version) => {
  expect(checkHost(systemFacts(id, version), clusterd)).toEqual([]);
});

test.each([
  ['debian', '13'],
  ['ubuntu', '20.04'],
])('refuses %s %s, for which ClusterD has no package, unless Mesos comes from elsewhere', (id, version) => {
  expect(render(checkHost(systemFacts(id, version), clusterd))).toEqual([
    `h1 error system: clusterd has no Mesos package for ${id} ${version}, only for debian 11 and 12, ubuntu 22.04 and 24.04`,
  ]);
  expect(checkHost(systemFacts(id, version), { mesos: mesosFile })).toEqual([]);
  // For another repository, apt finds out.
  expect(checkHost(systemFacts(id, version))).toEqual([]);
  const other = clusterOf([hostOf('h0'), hostOf('h1', { roles: ['scheduler'] })], clusterd);
  const facts = new Map([['h1', bareFacts('10.0.0.1', systemFacts(id, version))]]);
  expect(preflight({ cluster: other, facts, payload }).filter(({ host }) => host === 'h1')).toEqual([]);
});

test('refuses an architecture without Mesos packages or without a runtime', () => {
  expect(checkHost({ arch: 'arm64' })).toEqual([]);
  expect(render(checkHost({ arch: 'arm64' }, clusterd))).toEqual([
    'h1 error arch: clusterd has Mesos packages for amd64 only, but this host is arm64',
  ]);
  const cluster = clusterOf([hostOf('h1', { roles: ['scheduler'] })], { mesos: mesosFile });
  const facts = new Map([['h1', bareFacts('10.0.0.1', { arch: 'arm64' })]]);
  expect(render(preflight({ cluster, facts, payload: { ...payload, arch: 'amd64' } }))).toEqual([
    'h1 error arch: the host is arm64, but this mesosup installs a runtime for amd64',
  ]);
});

test('refuses a glibc too old for Node, but only for roles that run on Node', () => {
  const old: Partial<Facts> = { ...systemFacts('ubuntu', '18.04'), glibc: '2.27', cgroups: 'v1' };
  const legacy: Partial<Cluster> = { mesos: { kind: 'mesosphere', repository: REPOSITORY } };
  expect(render(checkHost(old, legacy))).toEqual([
    'h1 error glibc: the host has glibc 2.27; the role scheduler and agent runs on Node, which needs 2.28 or later',
  ]);
  expect(checkHost(old, legacy, { roles: ['master'] })).toEqual([]);
  const monitored = { ...legacy, monitoring: { listen: 'loopback' as const, port: 9103 } };
  expect(render(checkHost(old, monitored, { roles: ['master'] }))).toEqual([
    'h1 error glibc: the host has glibc 2.27; monitoring runs on Node, which needs 2.28 or later',
  ]);
  expect(checkHost({ glibc: '' }).map(({ severity }) => severity)).toEqual(['warning']);
});

test('refuses hybrid cgroups for a stock agent, unless the spec sets its launcher', () => {
  expect(render(checkHost({ cgroups: 'hybrid' }))[0]).toMatch(
    /^h1 error cgroups: the host has hybrid cgroups/,
  );
  expect(checkHost({ cgroups: 'hybrid' }, { agentFlags: { launcher: 'posix' } })).toEqual([]);
  expect(checkHost({ cgroups: 'hybrid' }, {}, { agentFlags: { launcher: 'posix' } })).toEqual([]);
  expect(checkHost({ cgroups: 'hybrid' }, {}, { roles: ['master'] })).toEqual([]);
  expect(checkHost({ cgroups: 'v1' })).toEqual([]);
  expect(checkHost({ cgroups: 'none' }).map(({ check }) => check)).toEqual(['cgroups']);
});
