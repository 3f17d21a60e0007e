import { type AppDefinition, withPortIndex } from './app-schema.ts';
import type { FieldError } from './field-errors.ts';
import { withHostPorts } from './network-rules.ts';

/** A stored app: its definition, the API it came from, and its versions. */
export interface App extends Readonly<AppDefinition> {
  /** The API that created the app; determines the form of task ids and the precedence of environment variables. */
  readonly api: 'v1' | 'v2';
  /** Time of this definition, as ISO 8601 with milliseconds; identifies it among the app's versions. */
  readonly version: string;
  /** The last version that changed more than the number of instances and SHARE_LABEL: tasks of another configVersion are outdated. */
  readonly configVersion: string;
  /** The last version that changed the number of instances. */
  readonly scaleVersion: string;
  /** The containerizer of the agents that runs the image; absent if an executor does, or if there is no image. */
  readonly containerizer?: 'docker' | 'mesos' | undefined;
  /** True if relative paths of volumes are in the sandbox; otherwise they name volumes of Docker (sandbox-volumes.ts). */
  readonly sandboxVolumes?: true | undefined;
  /** The fields that a client sent without effect; absent if there are none. */
  readonly warnings?: readonly FieldError[] | undefined;
}

/** @returns the app without the fields that the scheduler adds */
export function definitionOf(app: App): AppDefinition {
  const { api: _api, version: _version, configVersion: _config, scaleVersion: _scale, ...rest } = app;
  const {
    containerizer: _containerizer,
    warnings: _warnings,
    sandboxVolumes: _volumes,
    ...definition
  } = rest;
  return inCurrentForm(definition);
}

/**
 * Earlier releases stored checks without a portIndex, mappings of bridges without a hostPort, and fields without effect.
 * A client's definition has another form now: without a change of its meaning, it must not restart the app.
 */
function inCurrentForm(stored: AppDefinition): AppDefinition {
  const { args, ...rest } = withHostPorts(stored);
  const definition = {
    ...rest,
    ...(args && args.length > 0 && { args }),
    healthChecks: stored.healthChecks.map(withPortIndex),
  };
  const { container } = definition;
  if (!container) return definition;
  const { portMappings = [], ...others } = container;
  if (!hasOwnNetwork(stored)) return { ...definition, container: others };
  return {
    ...definition,
    container: { ...others, portMappings },
    portDefinitions: [],
    requirePorts: false,
  };
}

/** A port of an app, as declared: an entry of portDefinitions or portMappings. */
export interface DeclaredPort {
  /** 0: any free port. */
  readonly servicePort: number;
  /**
   * The required host port; 0 for any port; undefined if the task gets none: the port is reached at the container's own
   * address.
   */
  readonly hostPort: number | undefined;
  /** The port in the container, 0 for any; undefined if the image or the network determines it. */
  readonly containerPort?: number;
  readonly protocol: string;
  readonly name?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** A port that needs a port of the host. */
export interface PortSpec extends DeclaredPort {
  readonly hostPort: number;
}

type Definition = Readonly<
  Pick<AppDefinition, 'container' | 'networks' | 'portDefinitions' | 'requirePorts'>
>;

/** True if the container has its own network, so that host ports are mapped. */
export function hasOwnNetwork({ networks, container }: Pick<Definition, 'networks' | 'container'>): boolean {
  return container !== undefined && networks.some(({ mode }) => mode !== 'host');
}

/** True if the container is in Docker's or Mesos' bridge: it is reached at the ports of its host only. */
export function isBridged({ networks }: Pick<Definition, 'networks'>): boolean {
  return networks.some(({ mode }) => mode === 'container/bridge');
}

/** @returns one entry for each port of the app, in order */
export function declaredPorts(app: Definition): DeclaredPort[] {
  if (!hasOwnNetwork(app)) {
    return app.portDefinitions.map(({ port, protocol, name, labels }) => ({
      servicePort: port,
      hostPort: app.requirePorts ? port : 0,
      protocol,
      name,
      labels,
    }));
  }
  const bridged = isBridged(app);
  return (app.container?.portMappings ?? []).map(
    ({ servicePort, hostPort, containerPort, protocol, name, labels }) => ({
      servicePort,
      // In a user-defined network a container needs no host port, unless it requests one.
      hostPort: hostPort ?? (bridged ? 0 : undefined),
      containerPort,
      protocol,
      name,
      labels,
    }),
  );
}

/** @returns one entry for each host port of a task, in order */
export function portsOf(app: Definition): PortSpec[] {
  return declaredPorts(app).filter((port): port is PortSpec => port.hostPort !== undefined);
}

/** @returns the service port of each port of the app, in order */
export function servicePortsOf(app: Definition): number[] {
  return declaredPorts(app).map(({ servicePort }) => servicePort);
}

/** @returns the image without v1's prefix `docker:///` */
export function imageOf({ container }: Pick<AppDefinition, 'container'>): string | undefined {
  const image = container?.docker?.image;
  return image?.startsWith('docker:///') ? image.slice('docker:///'.length) : image;
}
