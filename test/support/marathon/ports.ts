/** The ports of an app of the stand-in. */

import type { App, Container } from './model.ts';

export function isOnHost(networks: App['networks']): boolean {
  return networks.every(({ mode }) => mode === 'host');
}

export interface PortOfApp {
  servicePort: number;
  /** Absent on the network of the host. */
  containerPort?: number;
  /** False for a port without a host port. */
  isOnHost: boolean;
  protocols: string[];
  name?: string;
  labels: Record<string, string>;
}

export function portsOf({ networks, container, portDefinitions }: App): PortOfApp[] {
  const shared = ({ protocol, name, labels }: App['portDefinitions'][number] | Mapping) => ({
    protocols: protocol.split(','),
    ...(name !== undefined && { name }),
    labels,
  });
  if (isOnHost(networks)) {
    return portDefinitions.map((one) => ({ servicePort: one.port, isOnHost: true, ...shared(one) }));
  }
  return (container?.portMappings ?? []).map((one) => ({
    servicePort: one.servicePort,
    containerPort: one.containerPort,
    isOnHost: one.hostPort !== undefined,
    ...shared(one),
  }));
}

type Mapping = NonNullable<Container['portMappings']>[number];
