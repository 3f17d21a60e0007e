/** Converts fields that Marathon has renamed to their current names. Source: Marathon's AppNormalization. */

import { isJson, type Json } from '../../json.ts';
import { withoutNulls } from './app-fields.ts';
import { isArchive } from './fetched-files.ts';
import type { FieldError } from './field-errors.ts';

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
  if (isJson(ipAddress) && app.container === undefined) modern.container = { type: 'MESOS' };
  if (isJson(modern.container)) modern.container = modernContainer(modern.container, ipAddress);
  const networks = legacyNetworks(dockerOf(app).network, ipAddress);
  if (networks && app.networks === undefined) modern.networks = networks;
  if (uris !== undefined && isEmptyList(app.fetch ?? [])) modern.fetch = fetchOf(uris);
  takePorts(ports, modern, stored);
  const mappings = isJson(modern.container) ? modern.container.portMappings : undefined;
  const hasNetwork = modern.networks !== undefined || isContainerNetwork(stored.networks);
  if (!hasNetwork && Array.isArray(mappings) && mappings.length > 0) {
    modern.networks = [{ mode: 'container/bridge' }];
  }
  return modern;
}

/** Finds older names that contradict the current ones, or that nothing can be made of. @param sent as renameLegacyFields */
export function* findLegacyProblems(sent: unknown): Generator<FieldError> {
  if (!isJson(sent)) return;
  const app = withoutNulls(sent) as Json;
  const { uris, fetch, ports, portDefinitions, ipAddress, networks } = app;
  if (isFilled(uris) && isFilled(fetch) && canonical(uris) !== canonical(valuesOf(fetch, 'uri'))) {
    yield { path: ['uris'], error: "can't be combined with fetch: set only one of them" };
  }
  if (isFilled(ports) && isFilled(portDefinitions)) {
    if (canonical(ports) !== canonical(valuesOf(portDefinitions, 'port'))) {
      yield { path: ['ports'], error: "can't be combined with portDefinitions: set only one of them" };
    }
  }
  const docker = dockerOf(app);
  const { network } = docker;
  const networkPath = ['container', 'docker', 'network'];
  if (network !== undefined && !isDockerNetwork(network)) {
    const error =
      network === 'NONE'
        ? 'may not be NONE: use docker.parameters with the key network'
        : 'must be BRIDGE, HOST or USER';
    yield { path: networkPath, error };
  }
  for (const [path, value] of [
    [networkPath, network],
    [['ipAddress'], ipAddress],
  ] as const) {
    if (value === undefined || !isFilled(networks)) continue;
    yield { path, error: "can't be combined with networks: set only one of them" };
  }
  const container = isJson(app.container) ? app.container : {};
  if (isFilled(docker.portMappings) && isFilled(container.portMappings)) {
    const path = ['container', 'docker', 'portMappings'];
    yield { path, error: "can't be combined with container.portMappings: set only one of them" };
  }
  if (ipAddress === undefined) return;
  if (!isJson(ipAddress)) yield { path: ['ipAddress'], error: 'must be an object' };
  else yield* findAddressProblems(ipAddress, app);
}

/** Finds older names without effect beside others. @param sent as renameLegacyFields */
export function* findUnusedLegacyFields(sent: unknown): Generator<FieldError> {
  if (!isJson(sent)) return;
  const app = withoutNulls(sent) as Json;
  const { network } = dockerOf(app);
  if (!isDockerNetwork(network) || isNamed(network, 'USER') || !isJson(app.ipAddress)) return;
  if (app.ipAddress.networkName === undefined) return;
  const error = `has no effect with the Docker network ${network}, as in Marathon`;
  yield { path: ['ipAddress', 'networkName'], error };
}

function* findAddressProblems({ networkName, discovery }: Json, app: Json): Generator<FieldError> {
  if (networkName !== undefined && (typeof networkName !== 'string' || networkName === '')) {
    yield { path: ['ipAddress', 'networkName'], error: 'must be the name of a network' };
  }
  for (const name of ['ports', 'portDefinitions']) {
    if (!isFilled(app[name])) continue;
    yield { path: [name], error: "can't be combined with ipAddress: use container.portMappings" };
  }
  const ports = isJson(discovery) ? discovery.ports : undefined;
  if (ports === undefined || isEmptyList(ports)) return;
  const path = ['ipAddress', 'discovery', 'ports'];
  const container = isJson(app.container) ? app.container : { type: 'MESOS' };
  const isDocker =
    container.type === undefined ? isJson(container.docker) : isNamed(container.type, 'DOCKER');
  if (isDocker) {
    yield { path, error: 'need container.type MESOS: use container.portMappings' };
  } else if (isFilled(container.portMappings)) {
    yield { path, error: "can't be combined with container.portMappings: set only one of them" };
  } else if (!Array.isArray(ports) || !ports.every(isJson)) {
    yield { path, error: 'must be an array of objects' };
  }
}

/** Moves `docker.network` and `docker.portMappings` out of `container.docker`, and the ports of an address in. */
function modernContainer(container: Json, ipAddress: unknown): Json {
  const { docker, ...rest } = container;
  const discovery = isJson(ipAddress) ? ipAddress.discovery : undefined;
  const ports = isJson(discovery) ? discovery.ports : undefined;
  const discovered = isFilled(ports) &&
    !isFilled(rest.portMappings) && { portMappings: ports.map(mappingOf) };
  if (!isJson(docker)) return { ...container, ...discovered };
  const { network: _network, portMappings, ...image } = docker;
  const moved = portMappings !== undefined && isEmptyList(rest.portMappings ?? []) && { portMappings };
  return { type: 'DOCKER', ...rest, docker: image, ...discovered, ...moved };
}

function mappingOf(discovered: unknown): unknown {
  if (!isJson(discovered)) return discovered;
  const { number, ...rest } = discovered;
  return { ...rest, ...(number !== undefined && { containerPort: number }) };
}

const DOCKER_NETWORKS: Readonly<Record<string, string>> = {
  HOST: 'host',
  BRIDGE: 'container/bridge',
  USER: 'container',
};

function isDockerNetwork(network: unknown): network is string {
  return typeof network === 'string' && Object.hasOwn(DOCKER_NETWORKS, network.toUpperCase());
}

function legacyNetworks(network: unknown, ipAddress: unknown): Json[] | undefined {
  const name = isJson(ipAddress) ? ipAddress.networkName : undefined;
  const named = { mode: 'container', ...(name !== undefined && { name }) };
  if (isDockerNetwork(network)) {
    const mode = DOCKER_NETWORKS[network.toUpperCase()];
    return [mode === 'container' ? named : { mode }];
  }
  return isJson(ipAddress) ? [named] : undefined;
}

function fetchOf(uris: unknown): unknown {
  if (!Array.isArray(uris)) return uris;
  return uris.map((uri: unknown) => ({ uri, extract: typeof uri === 'string' && isArchive(uri) }));
}

/** Converts `ports` to service ports: of the port mappings if there are any, otherwise of portDefinitions. */
function takePorts(ports: unknown, app: Json, stored: Stored): void {
  if (ports === undefined || app.portDefinitions !== undefined) return;
  const container = app.container ?? stored.container;
  if (Array.isArray(ports) && isJson(container) && isFilled(container.portMappings)) {
    // The service ports of the update replace those of the stored app.
    const isStored = container === stored.container;
    const mapped = container.portMappings.map((mapping: unknown, i) =>
      isJson(mapping) && (isStored || (mapping.servicePort ?? 0) === 0) && ports[i] !== undefined
        ? { ...mapping, servicePort: ports[i] }
        : mapping,
    );
    const added = ports.slice(mapped.length).map((servicePort: unknown) => ({ servicePort }));
    app.container = { ...container, portMappings: [...mapped, ...added] };
  } else {
    app.portDefinitions = Array.isArray(ports) ? ports.map((port: unknown) => ({ port })) : ports;
  }
}

/** True if one of the networks is not the host's. */
export function isContainerNetwork(networks: unknown): boolean {
  return (
    Array.isArray(networks) && networks.some((one) => isJson(one) && (one.mode ?? 'container') !== 'host')
  );
}

function dockerOf({ container }: Json): Json {
  return isJson(container) && isJson(container.docker) ? container.docker : {};
}

function isFilled(list: unknown): list is unknown[] {
  return Array.isArray(list) && list.length > 0;
}

function isEmptyList(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}

function isNamed(value: unknown, name: string): boolean {
  return typeof value === 'string' && value.toUpperCase() === name;
}

function valuesOf(list: readonly unknown[], name: string): unknown[] {
  return list.map((one) => (isJson(one) ? (one[name] ?? 0) : one));
}

function canonical(value: unknown): string {
  return JSON.stringify(value);
}
