import { hasOwnNetwork } from '../../domain/app.ts';
import type { AppDefinition } from '../../domain/app-schema.ts';
import type { Settings } from '../../domain/settings.ts';

export interface PortsInUse {
  readonly settings: Pick<Settings, 'localPortMin' | 'localPortMax'>;
  isTaken(port: number): boolean;
}

/**
 * Assigns a free service port to each port 0.
 * @param before the previous definition: assigned ports are kept
 * @param seed a random number in [0, 1) that determines where the search begins
 * @returns undefined if no port is left in the range
 */
export function assignServicePorts(
  app: AppDefinition,
  before: AppDefinition | undefined,
  inUse: PortsInUse,
  seed: number,
): AppDefinition | undefined {
  const { localPortMin, localPortMax } = inUse.settings;
  const size = localPortMax - localPortMin + 1;
  const wanted = listServicePorts(app);
  const earlier = before && hasOwnNetwork(before) === hasOwnNetwork(app) ? listServicePorts(before) : [];
  const taken = new Set(wanted);
  let next = Math.floor(seed * size);
  let tries = 0;
  const free = (): number | undefined => {
    for (; tries < size; tries += 1) {
      const candidate = localPortMin + (next % size);
      next += 1;
      if (!taken.has(candidate) && !inUse.isTaken(candidate)) return candidate;
    }
    return undefined;
  };
  const ports: number[] = [];
  for (const [i, port] of wanted.entries()) {
    const kept = earlier[i];
    const assigned = port !== 0 ? port : kept !== undefined && !taken.has(kept) ? kept : free();
    if (assigned === undefined) return undefined;
    taken.add(assigned);
    ports.push(assigned);
  }
  return withPorts(app, ports);
}

function listServicePorts(app: AppDefinition): number[] {
  if (!hasOwnNetwork(app)) return app.portDefinitions.map(({ port }) => port);
  return (app.container?.portMappings ?? []).map(({ servicePort }) => servicePort);
}

function withPorts(app: AppDefinition, ports: readonly number[]): AppDefinition {
  if (!hasOwnNetwork(app)) {
    return {
      ...app,
      portDefinitions: app.portDefinitions.map((one, i) => ({ ...one, port: ports[i] ?? one.port })),
    };
  }
  const { container } = app;
  if (!container?.portMappings) return app;
  const portMappings = container.portMappings.map((one, i) => ({
    ...one,
    servicePort: ports[i] ?? one.servicePort,
  }));
  return { ...app, container: { ...container, portMappings } };
}
