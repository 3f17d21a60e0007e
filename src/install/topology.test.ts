import { expect, test } from 'vitest';
import { bareFacts, bareHosts, clusterOf, fileFacts, hostOf } from '../../test/install/hosts.ts';
import type { Facts } from './facts.ts';
import { addressOf, chooseAddress, quorumOf, topologyOf, UnknownAddressError, ZOO_CFG } from './topology.ts';

const three = clusterOf(['h1', 'h2', 'h10'].map((name) => hostOf(name)));
const servers = { 1: '10.0.0.1', 2: '10.0.0.2', 3: '10.0.0.3' };

/** Facts after an install of `prod`, with these servers in zoo.cfg, and optionally the names of their hosts. */
function installed(
  address: string,
  servers: Readonly<Record<number, string>>,
  names: Readonly<Record<number, string>> = {},
): Facts {
  const text = [
    ...Object.entries(names).map(([id, name]) => `# server.${id} is ${name}\n`),
    ...Object.entries(servers).map(([id, server]) => `server.${id}=${server}:2888:3888\n`),
  ];
  const facts = bareFacts(address, { files: { [ZOO_CFG]: fileFacts(text.join('')) } });
  return { ...facts, mesosup: { ...facts.mesosup, cluster: 'prod' } };
}

test('three new hosts get ids by name, and form one ensemble', () => {
  const { zookeepers, masters, mesos, mesosForReaders, scheduler } = topologyOf(three, bareHosts(three));
  expect(zookeepers.map(({ id, host }) => `${id} ${host}`)).toEqual(['1 h1', '2 h2', '3 h10']);
  expect(masters.map(({ address }) => address)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  const list = '10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181';
  expect(mesos).toBe(`zk://mesos:⟦secret:zookeeper-mesos⟧@${list}/mesos`);
  expect(mesosForReaders).toBe(`zk://${list}/mesos`);
  expect(scheduler).toBe(`zk://mesosup:⟦secret:zookeeper-scheduler⟧@${list}/mesosup`);
});

test('a server keeps its id when other hosts are added and removed', () => {
  const cluster = clusterOf(['h0', 'h1', 'h3', 'h4', 'h5'].map((name) => hostOf(name)));
  const facts = new Map([
    ['h0', bareFacts('10.0.0.100')],
    ['h1', installed('10.0.0.1', servers)],
    ['h3', bareFacts('10.0.0.3')],
    ['h4', bareFacts('10.0.0.4')],
    ['h5', bareFacts('10.0.0.5')],
  ]);
  const { zookeepers } = topologyOf(cluster, facts);
  // Id 2 belonged to another server, whose votes may still exist.
  expect(zookeepers.map(({ id, host }) => `${id} ${host}`)).toEqual(['1 h1', '3 h3', '4 h0', '5 h4', '6 h5']);
});

test('ignores the ids of another cluster', () => {
  const foreign = installed('10.0.0.1', { 7: '10.0.0.1' });
  const facts = bareHosts(three).set('h1', {
    ...foreign,
    mesosup: { ...foreign.mesosup, cluster: 'another' },
  });
  expect(topologyOf(three, facts).zookeepers[0]).toEqual({ host: 'h1', address: '10.0.0.1', id: 1 });
});

test('without ZooKeeper, agents connect directly to the master', () => {
  const cluster = clusterOf([
    hostOf('h1', { roles: ['master', 'scheduler'] }),
    hostOf('h2', { roles: ['agent'] }),
  ]);
  const { mesos, mesosForReaders, scheduler } = topologyOf(cluster, bareHosts(cluster));
  expect([mesos, mesosForReaders, scheduler]).toEqual(['10.0.0.1:5050', '10.0.0.1:5050', undefined]);
});

test('prefers the address in the spec, then the installed one, then that of the SSH connection, then the first', () => {
  const of = (changes: Parameters<typeof hostOf>[1], facts: Partial<Facts>) => {
    const host = hostOf('h1', changes);
    const own = bareFacts('x', facts);
    return chooseAddress(clusterOf([host, hostOf('h2')]), host, new Map([['h1', own]]));
  };
  const addresses = ['203.0.113.7', '10.0.2.15', '192.168.0.5'];
  const chosen = (address: string, why: string) => ({ address, why });
  expect(of({ privateAddress: '10.9.9.9', address: '10.0.2.15' }, { addresses })).toEqual(
    chosen('10.9.9.9', 'privateAddress'),
  );
  expect(of({ address: '192.168.0.5' }, { addresses, sshAddress: '10.0.2.15' })).toEqual(
    chosen('192.168.0.5', 'address in the spec'),
  );
  expect(of({ address: 'name' }, { addresses, sshAddress: '10.0.2.15' })).toEqual(
    chosen('10.0.2.15', 'address of the SSH connection'),
  );
  // An address behind NAT, and one that Mesos does not support.
  for (const sshAddress of ['198.51.100.1', 'fe80::1', ''])
    expect(of({}, { addresses: [...addresses, 'fe80::1'], sshAddress })).toEqual(
      chosen('203.0.113.7', 'first address of the host'),
    );
  expect(of({}, { addresses: [] })).toBeUndefined();
  const alone = hostOf('h1');
  const facts = new Map([['h1', bareFacts('x', { addresses: [] })]]);
  expect(addressOf(clusterOf([alone]), alone, facts)).toBe('127.0.0.1');
});

test('an installed host keeps its address as long as it has it, independent of the SSH connection', () => {
  const host = hostOf('h1');
  const installedOn = (ip: string, cluster = 'prod') => {
    const bare = bareFacts('x', { addresses: ['10.0.0.1', '10.0.0.2'], sshAddress: '10.0.0.1' });
    const files = { '/etc/mesos-agent/ip': fileFacts(`${ip}\n`) };
    const facts = { ...bare, files, mesosup: { ...bare.mesosup, cluster } };
    return addressOf(clusterOf([host, hostOf('h2')]), host, new Map([['h1', facts]]));
  };
  expect(installedOn('10.0.0.2')).toBe('10.0.0.2');
  expect(installedOn('10.0.0.3')).toBe('10.0.0.1');
  expect(installedOn('10.0.0.2', 'another')).toBe('10.0.0.1');
});

test('a first install leaves out an unreachable member, and gives ids to the others', () => {
  const facts = bareHosts(three);
  facts.delete('h2');
  expect(topologyOf(three, facts)).toMatchObject({
    zookeepers: [
      { id: 1, host: 'h1' },
      { id: 2, host: 'h10' },
    ],
    masters: [{ host: 'h1' }, { host: 'h10' }],
    mesosForReaders: 'zk://10.0.0.1:2181,10.0.0.3:2181/mesos',
  });
});

test('an unreachable member keeps its entry in the ensemble by its name', () => {
  const names = { 1: 'h1', 2: 'h2', 3: 'h10' };
  const whole = new Map([
    ['h1', installed('10.0.0.1', servers, names)],
    ['h2', installed('10.0.0.2', servers, names)],
    ['h10', installed('10.0.0.3', servers, names)],
  ]);
  for (const name of whole.keys()) {
    const facts = new Map([...whole].filter(([other]) => other !== name));
    expect(topologyOf(three, facts)).toEqual(topologyOf(three, whole));
  }
});

test('in an ensemble without names, the remaining address belongs to the unreachable member', () => {
  const facts = new Map([
    ['h1', installed('10.0.0.1', servers)],
    ['h10', installed('10.0.0.3', servers)],
  ]);
  expect(topologyOf(three, facts).zookeepers.map(({ id, host }) => `${id} ${host}`)).toEqual([
    '1 h1',
    '2 h2',
    '3 h10',
  ]);
  // Two addresses remain for one unreachable host, so its address is unknown.
  const more = new Map([...facts, ['h1', installed('10.0.0.1', { ...servers, 4: '10.0.0.4' })]]);
  expect(() => topologyOf(three, more)).toThrow(UnknownAddressError);
});

test('uses the address in the spec for an unreachable host, unless the ensemble has another one', () => {
  const host = hostOf('h1', { address: '10.0.0.1' });
  const cluster = clusterOf([host, hostOf('h2')]);
  expect(addressOf(cluster, host, new Map())).toBe('10.0.0.1');
  const others = (server: string, name: string) =>
    new Map([['h2', installed('10.0.0.2', { 1: server }, { 1: name })]]);
  expect(addressOf(cluster, host, others('10.0.0.1', 'x'))).toBe('10.0.0.1');
  expect(addressOf(cluster, host, others('10.7.7.7', 'h1'))).toBe('10.7.7.7');
  expect(addressOf(cluster, host, others('10.7.7.7', 'x'))).toBeUndefined();
  expect(() => topologyOf(cluster, others('10.7.7.7', 'x'))).toThrow(UnknownAddressError);
});

test('a quorum is more than half of the masters', () => {
  expect([1, 2, 3, 4, 5].map(quorumOf)).toEqual([1, 2, 2, 3, 3]);
});
