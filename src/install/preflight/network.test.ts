import { expect, test } from 'vitest';
import { bareFacts, bareHosts, fileFacts, payload, serviceFacts } from '../../../test/install/hosts.ts';
import { checkHost, checkThreeHosts, render, threeHosts } from '../../../test/install/preflight.ts';
import { ZOO_CFG } from '../topology.ts';
import { preflight } from './preflight.ts';

test("names the program that uses a port, unless it is the cluster's own service", () => {
  const listeners = [{ port: 5050, program: 'nginx' }];
  expect(render(checkHost({ listeners }))).toEqual([
    'h1 error port: port 5050, which the Mesos master needs, is in use by nginx',
  ]);
  const services = { 'mesos-master': serviceFacts() };
  expect(checkHost({ listeners, services })).toEqual([]);
  expect(checkHost({ listeners: [{ port: 2888, program: 'nginx' }] })).toEqual([]);
  const crashing = { 'mesos-master': serviceFacts({ state: 'failed' }) };
  expect(checkHost({ listeners: [{ port: 5050, program: '' }], services: crashing })[0]?.message).toContain(
    'another program',
  );
});

test.each([
  ['10.0.0.1', 0],
  ['172.31.255.1', 0],
  ['192.168.3.4', 0],
  ['100.64.0.1', 0],
  ['172.32.0.1', 1],
  ['203.0.113.7', 1],
  ['100.128.0.1', 1],
])(
  'the address %s brings %i warnings of unencrypted connections on a public address',
  (address, warnings) => {
    expect(render(checkHost({ addresses: [address] }))).toEqual(
      Array(warnings).fill(
        `h1 warning public: its address ${address} is public, but not all connections within the cluster are encrypted`,
      ),
    );
  },
);

test("refuses no address, a loopback address, an address that is not the host's own, and IPv6", () => {
  expect(checkThreeHosts({ h2: { addresses: [] } })).toEqual([
    'h2 error address: the host has no IPv4 address that other hosts can reach',
  ]);
  expect(checkThreeHosts({}, { h2: { privateAddress: '127.0.0.1' } })[0]).toContain(
    'loopback address 127.0.0.1',
  );
  expect(checkThreeHosts({}, { h2: { privateAddress: '10.1.1.1' } })).toEqual([
    "h2 error address: the address 10.1.1.1 is not one of the host's own addresses (10.0.0.2)",
  ]);
  expect(checkThreeHosts({}, { h2: { privateAddress: 'fd00::2' } })[0]).toContain('Mesos supports IPv4 only');
});

test('refuses two hosts with the same address, and two names of the same machine', () => {
  expect(checkThreeHosts({ h3: { addresses: ['10.0.0.1'], hostname: 'h3' } })).toEqual([
    'h3 error address: it has the same address as h1: 10.0.0.1',
  ]);
  const { hostname } = bareFacts('10.0.0.1');
  expect(checkThreeHosts({ h3: { addresses: ['10.0.0.1'], hostname } })).toEqual([
    'h3 error machine: it is the same machine as h1',
  ]);
});

test('refuses an unreachable ZooKeeper host that could have either of two addresses of its ensemble', () => {
  const facts = bareHosts(threeHosts);
  facts.delete('h3');
  const text = [1, 2, 3, 4].map((id) => `server.${id}=10.0.0.${id}:2888:3888\n`).join('');
  for (const [name, own] of facts) {
    const mesosup = { ...own.mesosup, cluster: threeHosts.name };
    facts.set(name, { ...own, files: { ...own.files, [ZOO_CFG]: fileFacts(text) }, mesosup });
  }
  expect(render(preflight({ cluster: threeHosts, facts, payload }))).toEqual([
    'h3 error address: the address of h3 within the cluster is not known, but the other hosts need it',
  ]);
  const known = threeHosts.hosts.map((host) =>
    host.name === 'h3' ? { ...host, address: '10.0.0.3' } : host,
  );
  expect(preflight({ cluster: { ...threeHosts, hosts: known }, facts, payload })).toEqual([]);
});
