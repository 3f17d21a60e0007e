/** Converts a container's networks, as Docker reports them, to Mesos' NetworkInfos. */

import { isIP } from 'node:net';
import type { ContainerInfo } from '../docker/engine.ts';
import type { NetworkInfo, PortMapping } from '../mesos/types.ts';

/**
 * One NetworkInfo for each network, with its name; the one with which the container was created is the first. The published ports belong to the first, since Docker does not say
 * through which network it forwards a port. Without an entry the agent would add its own address, so that a container
 * without a network has one without addresses.
 * @param agentEndpoint the agent, `ip:port`: a container on the host's network has the agent's address
 */
export function networksOf(
  { NetworkSettings, HostConfig }: Pick<ContainerInfo, 'NetworkSettings' | 'HostConfig'>,
  agentEndpoint: string,
): NetworkInfo[] {
  const { NetworkMode } = HostConfig;
  const isMain = ([name, { NetworkID }]: (typeof all)[number]) =>
    name === NetworkMode || NetworkID === NetworkMode;
  const all = Object.entries(NetworkSettings.Networks);
  // Docker lists them by name. Clients use the first address.
  const networks = [...all.filter(isMain), ...all.filter((one) => !isMain(one))];
  // A container that shares the network of another container has no network of its own.
  if (networks.length === 0) return [{ name: NetworkMode, ip_addresses: [] }];
  const ports = portMappings(NetworkSettings.Ports ?? {});
  return networks.map(([name, { IPAddress, GlobalIPv6Address }], i) => {
    const own = [IPAddress, GlobalIPv6Address].filter((address) => address !== undefined && address !== '');
    const host = agentEndpoint.slice(0, agentEndpoint.lastIndexOf(':')).replace(/^\[|\]$/g, '');
    const addresses = name === 'host' && isIP(host) !== 0 ? [host] : own;
    return {
      name,
      ip_addresses: addresses.map((ip_address = '') => ({
        protocol: isIP(ip_address) === 6 ? 'IPv6' : 'IPv4',
        ip_address,
      })),
      ...(i === 0 && ports.length > 0 && { port_mappings: ports }),
    };
  });
}

/** @param ports keys as in `80/tcp` */
function portMappings(
  ports: NonNullable<ContainerInfo['NetworkSettings']['Ports']>,
): [PortMapping, ...PortMapping[]] | [] {
  const found = new Map<string, PortMapping>();
  for (const [key, bindings] of Object.entries(ports)) {
    const [port, protocol = 'tcp'] = key.split('/');
    // A port may be bound for IPv4 and for IPv6.
    for (const { HostPort } of bindings ?? []) {
      const mapping = { host_port: Number(HostPort), container_port: Number(port), protocol };
      found.set(`${HostPort} ${key}`, mapping);
    }
  }
  return [...found.values()].sort((a, b) => a.host_port - b.host_port) as [PortMapping];
}
