/** Fills in the defaults that depend on the network of an app. Source: Marathon's AppNormalization. */

import { isJson, type Json } from '../../json.ts';
import type { FieldError } from './field-errors.ts';
import { isContainerNetwork } from './legacy-fields.ts';

/** The name of the port of an app that names no ports. */
const DEFAULT_PORT = { name: 'default' };

/**
 * With host networking, an app has port definitions, by default one. With container networks it has port mappings: by
 * default one, and at least as many as port definitions.
 * @param app with current names of the fields; anything but an object is returned unchanged, for the schema to reject
 */
export function withDefaultPorts(app: unknown): unknown {
  if (!isJson(app)) return app;
  const { args, networks, ...rest } = app;
  const modern: Json = {
    ...rest,
    ...(args !== undefined && !isEmptyList(args) && { args }),
    ...(networks !== undefined && !isEmptyList(networks) && { networks }),
  };
  return isContainerNetwork(networks) ? withMappings(modern) : withDefinitions(modern);
}

function withDefinitions({ container, portDefinitions = [DEFAULT_PORT], ...app }: Json): Json {
  if (!isJson(container)) return { ...app, ...(container !== undefined && { container }), portDefinitions };
  const { portMappings, ...rest } = container;
  // The schema reports a value of another type.
  const kept = Array.isArray(portMappings) || portMappings === undefined ? rest : container;
  return { ...app, container: kept, portDefinitions };
}

function withMappings({ container = { type: 'MESOS' }, portDefinitions, ...app }: Json): Json {
  const rest = { ...app, requirePorts: false };
  if (!isJson(container)) return { ...rest, container, portDefinitions: [] };
  const { portMappings } = container;
  if (portMappings !== undefined && !Array.isArray(portMappings)) return { ...rest, container };
  if (portDefinitions !== undefined && !Array.isArray(portDefinitions)) {
    return { ...rest, container, portDefinitions };
  }
  const definitions: readonly unknown[] = portDefinitions ?? [];
  const mappings = portMappings ?? [{ ...DEFAULT_PORT, ...mappingOf(definitions[0]) }];
  const added = definitions.slice(mappings.length).map(mappingOf);
  return { ...rest, container: { ...container, portMappings: [...mappings, ...added] }, portDefinitions: [] };
}

function mappingOf(definition: unknown): Json {
  if (!isJson(definition)) return {};
  const { port, ...rest } = definition;
  return { ...rest, ...(port !== undefined && { servicePort: port }) };
}

/**
 * Finds fields without effect because of the network.
 * @param modern the fields that a client sent, with current names
 * @param networks those of the resulting definition
 */
export function* findUnusedPorts(modern: unknown, networks: unknown): Generator<FieldError> {
  if (!isJson(modern)) return;
  const { container, portDefinitions, requirePorts } = modern;
  const mappings = isJson(container) && Array.isArray(container.portMappings) ? container.portMappings : [];
  if (!isContainerNetwork(networks)) {
    if (mappings.length > 0) {
      yield {
        path: ['container', 'portMappings'],
        error: 'have no effect with the network host, as in Marathon',
      };
    }
    return;
  }
  if (requirePorts === true) {
    const error = 'has no effect with a container network: set hostPort of the port mappings';
    yield { path: ['requirePorts'], error };
  }
  const definitions: unknown[] = Array.isArray(portDefinitions) ? portDefinitions : [];
  if (definitions.slice(0, mappings.length).some(isInUse)) {
    const error = 'have no effect beside container.portMappings, as in Marathon';
    yield { path: ['portDefinitions'], error };
  }
}

/** False for a definition that only counts as a port. */
function isInUse(definition: unknown): boolean {
  return (
    isJson(definition) && Object.entries(definition).some(([name, value]) => name !== 'port' || value !== 0)
  );
}

function isEmptyList(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}
