import { expect, test } from 'vitest';
import { ALL_ROLES, bareHosts, clusterOf, hostOf, planInput } from '../../../test/install/hosts.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import type { Resource } from '../resources/registry.ts';
import { wantedResources } from './wanted.ts';

const H1 = hostOf('h1', { roles: [...ALL_ROLES, 'lb'] });

function wanted(changes: Partial<Cluster> = {}, facts: Partial<Facts> = {}): Resource[] {
  const cluster = clusterOf([H1, hostOf('h2'), hostOf('h3')], changes);
  return wantedResources({ ...planInput(cluster, bareHosts(cluster, facts)), host: H1, running: true });
}

function contentOf(resources: readonly Resource[], path: string): string | undefined {
  const found = resources.find((one) => one.kind === 'file' && one.path === path);
  return found?.kind === 'file' ? found.content : undefined;
}

const unitOf = (resources: readonly Resource[]) =>
  contentOf(resources, '/etc/systemd/system/mesosup-lb.service') ?? '';
const USERS = '/etc/mesosup/scheduler/api';
const CREDENTIALS = '/etc/mesosup/lb/credentials';

test('adds a viewer to the users of the scheduler, only for a load balancer that needs it', () => {
  const usual = wanted();
  expect(contentOf(usual, USERS)).toBe('mesosup:⟦secret:api⟧\n[viewer]\nmesosup-lb:⟦secret:lb⟧');
  expect(contentOf(usual, CREDENTIALS)).toBe('mesosup-lb:⟦secret:lb⟧');
  expect(unitOf(usual)).toContain(` --credentials-file=${CREDENTIALS} `);
  for (const changes of [
    { schedulerFlags: { http_credentials_file: '' } },
    { lbFlags: { 'token-file': '/etc/mesosup/token' } },
  ]) {
    const other = wanted(changes);
    expect(contentOf(other, USERS)).toBe('mesosup:⟦secret:api⟧');
    expect(contentOf(other, CREDENTIALS)).toBeUndefined();
    expect(unitOf(other)).not.toContain('--credentials-file=');
  }
});

test('reserves the ports of the cluster, those that agents offer, and those of the spec', () => {
  const reserved = (changes: Partial<Cluster>) => /--reserved-ports=(\S+)/.exec(unitOf(wanted(changes)))?.[1];
  const ports = { master: 5050, agent: 5051, scheduler: 8082, zookeeper: 2181 };
  expect(reserved({ ports })).toBe('2181,2888,3888,5050,5051,8082,31000-32000');
  expect(reserved({ agentFlags: { resources: 'cpus:4;ports:[4000-4999,7000-7999]' } })).toBe(
    '2181,2888,3888,5050,5051,8080,4000-4999,7000-7999',
  );
  expect(reserved({ lbFlags: { 'reserved-ports': '9000-9999' } })).toMatch(/,31000-32000,9000-9999$/);
});

test('gets the right to use ports below 1024 only if it uses one', () => {
  expect(unitOf(wanted())).toContain('\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n');
  const high = unitOf(wanted({ lbFlags: { 'http-port': '8081', 'https-port': '8443', checks: '' } }));
  expect(high).toContain('\nCapabilityBoundingSet=\n');
  expect(high).not.toContain('Ambient');
  expect(high).toContain(' --checks\n');
  const flags = { 'http-port': '8081', 'https-port': '8443' };
  for (const low of [{ dns: '10.0.0.1:53' }, { stats: '127.0.0.1:81' }, { metrics: '127.0.0.1:82' }]) {
    expect(unitOf(wanted({ lbFlags: { ...flags, ...low } }))).toContain('\nAmbientCapabilities=');
  }
});

test("turns the package's own service off, unless the package was there before", () => {
  const off = (resources: readonly Resource[]) =>
    resources.filter((one) => one.kind === 'service' && one.name === 'haproxy');
  expect(off(wanted())).toMatchObject([{ enabled: false, running: false }]);
  const packages = { haproxy: { version: '2.6.12-1', status: 'install ok installed' } };
  expect(off(wanted({}, { packages }))).toEqual([]);
  const { mesosup } = bareHosts(clusterOf([H1])).get('h1') as Facts;
  const journal = [{ kind: 'package', name: 'haproxy', before: 'absent' }] as const;
  expect(off(wanted({}, { packages, mesosup: { ...mesosup, journal } }))).toHaveLength(1);
  // It stays off when the role is taken away.
  const cluster = clusterOf([hostOf('h1')]);
  const hosts = bareHosts(cluster, { packages, mesosup: { ...mesosup, journal } });
  const [host = H1] = cluster.hosts;
  expect(off(wantedResources({ ...planInput(cluster, hosts), host, running: true }))).toHaveLength(1);
});
