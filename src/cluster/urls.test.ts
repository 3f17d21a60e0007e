import { expect, test } from 'vitest';
import type { Cluster, ClusterHost } from './cluster.ts';
import { urlsOfCluster } from './urls.ts';

const host = (more: Partial<ClusterHost>): ClusterHost => ({
  name: 'h1',
  address: 'h1',
  roles: ['scheduler'],
  attributes: {},
  resources: {},
  masterFlags: {},
  agentFlags: {},
  connection: { kind: 'ssh' },
  ...more,
});

const schedulers = (hosts: readonly ClusterHost[], addresses: Record<string, string> = {}) => {
  const ports = { master: 5050, agent: 5051, scheduler: 8080, zookeeper: 2181 };
  return urlsOfCluster({ hosts, ports } as unknown as Cluster, addresses).schedulers;
};

test.each([
  [{}, 'http://h1:8080'],
  [{ address: '::1' }, 'http://[::1]:8080'],
  [{ address: '10.0.0.1' }, 'http://10.0.0.1:8080'],
  [{ privateAddress: '10.0.0.9' }, 'http://10.0.0.9:8080'],
  [{ connection: { kind: 'local' } as const }, 'http://127.0.0.1:8080'],
])('a scheduler on the host %j is reached at %s', (more, url) => {
  expect(schedulers([host(more)])).toEqual([url]);
});

test('a name that only SSH may know is replaced by the address that was found', () => {
  expect(schedulers([host({})], { h1: '10.0.0.1' })).toEqual(['http://10.0.0.1:8080']);
});

test('a name with a domain is tried first, on all hosts', () => {
  const hosts = [
    host({ address: 'a.example' }),
    host({ name: 'h2', address: 'b.example', roles: ['scheduler', 'master'] }),
    host({ name: 'h3', roles: ['agent'] }),
  ];
  expect(schedulers(hosts, { h1: '10.0.0.1', h2: '10.0.0.2', h3: '10.0.0.3' })).toEqual([
    'http://a.example:8080',
    'http://b.example:8080',
    'http://10.0.0.1:8080',
    'http://10.0.0.2:8080',
  ]);
});
