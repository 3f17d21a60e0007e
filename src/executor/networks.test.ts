import { describe, expect, test } from 'vitest';
import { networksOf } from './networks.ts';

type Settings = Parameters<typeof networksOf>[0]['NetworkSettings'];

const networks = (mode: string, settings: Settings, agent = '10.1.2.3:5051') =>
  networksOf({ NetworkSettings: settings, HostConfig: { NetworkMode: mode, AutoRemove: false } }, agent);

describe('the networks of a container', () => {
  test('on the bridge have an address and the published ports, each once', () => {
    const both = [
      { HostIp: '0.0.0.0', HostPort: '31001' },
      { HostIp: '::', HostPort: '31001' },
    ];
    const Ports = {
      '80/tcp': both,
      '53/udp': [{ HostIp: '0.0.0.0', HostPort: '31000' }],
      '443/tcp': null,
    };
    const Networks = { bridge: { IPAddress: '172.17.0.2', GlobalIPv6Address: '' } };
    expect(networks('default', { Networks, Ports })).toEqual([
      {
        name: 'bridge',
        ip_addresses: [{ protocol: 'IPv4', ip_address: '172.17.0.2' }],
        port_mappings: [
          { host_port: 31000, container_port: 53, protocol: 'udp' },
          { host_port: 31001, container_port: 80, protocol: 'tcp' },
        ],
      },
    ]);
  });

  test('of several user networks are one each', () => {
    const Networks = {
      back: { IPAddress: '10.0.1.2', GlobalIPv6Address: 'fd00::2' },
      front: { IPAddress: '10.0.2.2' },
    };
    expect(networks('front', { Networks, Ports: {} }).map(({ name }) => name)).toEqual(['front', 'back']);
    expect(networks('back', { Networks, Ports: {} })).toEqual([
      {
        name: 'back',
        ip_addresses: [
          { protocol: 'IPv4', ip_address: '10.0.1.2' },
          { protocol: 'IPv6', ip_address: 'fd00::2' },
        ],
      },
      { name: 'front', ip_addresses: [{ protocol: 'IPv4', ip_address: '10.0.2.2' }] },
    ]);
  });

  test('on the host are the host’s, with the agent’s address if it is one', () => {
    const Networks = { host: { IPAddress: '', GlobalIPv6Address: '' } };
    expect(networks('host', { Networks, Ports: null })).toEqual([
      { name: 'host', ip_addresses: [{ protocol: 'IPv4', ip_address: '10.1.2.3' }] },
    ]);
    expect(networks('host', { Networks }, '[fd00::1]:5051')).toEqual([
      { name: 'host', ip_addresses: [{ protocol: 'IPv6', ip_address: 'fd00::1' }] },
    ]);
    expect(networks('host', { Networks }, 'agent.local:5051')).toEqual([{ name: 'host', ip_addresses: [] }]);
  });

  test('without a network, or with that of another container, have no address', () => {
    const Networks = { none: { IPAddress: '', GlobalIPv6Address: '' } };
    expect(networks('none', { Networks, Ports: {} })).toEqual([{ name: 'none', ip_addresses: [] }]);
    expect(networks('container:abc', { Networks: {}, Ports: {} })).toEqual([
      { name: 'container:abc', ip_addresses: [] },
    ]);
  });
});
