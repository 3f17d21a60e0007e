/** Converts fields that Marathon has renamed to their current names. */

import { isJson, type Json } from '../../json.ts';
import { withoutNulls } from './app-fields.ts';

/** @param sent an app; anything else is returned unchanged, for the schema to reject */
export function renameLegacyFields(sent: unknown): unknown {
  if (!isJson(sent)) return sent;
  const app = withoutNulls(sent) as Json;
  const { uris, ports, ipAddress, ...rest } = app;
  const modern: Json = rest;
  if (isJson(app.container)) modern.container = modernContainer(app.container, modern);
  if (Array.isArray(uris) && app.fetch === undefined) modern.fetch = uris.map((uri: unknown) => ({ uri }));
  if (isJson(ipAddress) && app.networks === undefined) {
    modern.networks = [{ mode: 'container', name: ipAddress.networkName }];
  }
  takePorts(ports, modern);
  const mappings = isJson(modern.container) ? modern.container.portMappings : undefined;
  if (modern.networks === undefined && Array.isArray(mappings) && mappings.length > 0) {
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
function takePorts(ports: unknown, app: Json): void {
  if (ports === undefined || app.portDefinitions !== undefined) return;
  const container = isJson(app.container) ? app.container : {};
  if (Array.isArray(ports) && Array.isArray(container.portMappings)) {
    container.portMappings = container.portMappings.map((mapping: unknown, i) =>
      isJson(mapping) && (mapping.servicePort ?? 0) === 0 && ports[i] !== undefined
        ? { ...mapping, servicePort: ports[i] }
        : mapping,
    );
  } else {
    app.portDefinitions = Array.isArray(ports) ? ports.map((port: unknown) => ({ port })) : ports;
  }
}

/** Fills in the default ports: one port with host networking, none with a container network. */
export function withPorts(app: unknown): unknown {
  if (!isJson(app)) return app;
  const networks = Array.isArray(app.networks) ? (app.networks as unknown[]) : [];
  const isHost = networks.every((network) => !isJson(network) || (network.mode ?? 'host') === 'host');
  if (!isHost && isJson(app.container)) return { ...app, portDefinitions: [] };
  return app.portDefinitions === undefined ? { ...app, portDefinitions: [{}] } : app;
}
