/** Converts fields that Marathon has renamed to their current names. */

import { isJson, type Json } from '../../json.ts';
import { withoutNulls } from './app-fields.ts';

/** The fields of a stored app that decide about the meaning of an update. */
export interface Stored {
  readonly networks?: unknown;
  readonly container?: unknown;
}

/**
 * @param sent an app; anything else is returned unchanged, for the schema to reject
 * @param stored the app that an update changes
 */
export function renameLegacyFields(sent: unknown, stored: Stored = {}): unknown {
  if (!isJson(sent)) return sent;
  const app = withoutNulls(sent) as Json;
  const { uris, ports, ipAddress, ...rest } = app;
  const modern: Json = rest;
  if (isJson(app.container)) modern.container = modernContainer(app.container, modern);
  if (Array.isArray(uris) && app.fetch === undefined) modern.fetch = uris.map((uri: unknown) => ({ uri }));
  if (isJson(ipAddress) && app.networks === undefined) {
    modern.networks = [{ mode: 'container', name: ipAddress.networkName }];
  }
  takePorts(ports, modern, stored);
  const mappings = isJson(modern.container) ? modern.container.portMappings : undefined;
  const hasNetwork = modern.networks !== undefined || isContainerNetwork(stored.networks);
  if (!hasNetwork && Array.isArray(mappings) && mappings.length > 0) {
    modern.networks = [{ mode: 'container/bridge' }];
  }
  return modern;
}

/** Moves `docker.network` and `docker.portMappings` out of `container.docker`. */
function modernContainer(container: Json, app: Json): Json {
  const { docker, ...rest } = container;
  if (!isJson(docker)) return rest;
  const { network, portMappings, ...image } = docker;
  if (typeof network === 'string' && app.networks === undefined) {
    const mode = { HOST: 'host', BRIDGE: 'container/bridge' }[network.toUpperCase()] ?? 'container';
    app.networks = [{ mode }];
  }
  return {
    type: 'DOCKER',
    ...rest,
    docker: image,
    ...(portMappings !== undefined && rest.portMappings === undefined && { portMappings }),
  };
}

/** Converts `ports` to service ports: of the port mappings if there are any, otherwise of portDefinitions. */
function takePorts(ports: unknown, app: Json, stored: Stored): void {
  if (ports === undefined || app.portDefinitions !== undefined) return;
  const container = app.container ?? stored.container;
  if (Array.isArray(ports) && isJson(container) && Array.isArray(container.portMappings)) {
    // The service ports of the update replace those of the stored app.
    const isStored = container === stored.container;
    const portMappings = container.portMappings.map((mapping: unknown, i) =>
      isJson(mapping) && (isStored || (mapping.servicePort ?? 0) === 0) && ports[i] !== undefined
        ? { ...mapping, servicePort: ports[i] }
        : mapping,
    );
    app.container = { ...container, portMappings };
  } else {
    app.portDefinitions = Array.isArray(ports) ? ports.map((port: unknown) => ({ port })) : ports;
  }
}

/** True if one of the networks is not the host's. */
export function isContainerNetwork(networks: unknown): boolean {
  return Array.isArray(networks) && networks.some((one) => isJson(one) && (one.mode ?? 'host') !== 'host');
}

/** Fills in the default ports: one port with host networking, none with a container network. */
export function withPorts(app: unknown): unknown {
  if (!isJson(app)) return app;
  if (isContainerNetwork(app.networks) && isJson(app.container)) return { ...app, portDefinitions: [] };
  return app.portDefinitions === undefined ? { ...app, portDefinitions: [{}] } : app;
}
