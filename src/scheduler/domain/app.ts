import type { AppDefinition } from './app-schema.ts';

/** An app as it is kept: its definition, where it came from, and when it became what it is. */
export interface App extends Readonly<AppDefinition> {
  /** The API that created it: the form of its task ids and the precedence of its environment follow that. */
  readonly api: 'v1' | 'v2';
  /** When this definition was made, as ISO 8601 with milliseconds; names it among the app's versions. */
  readonly version: string;
  /** The version in which anything but the number of instances changed: tasks of another are of an old one. */
  readonly configVersion: string;
  /** The version in which the number of instances changed. */
  readonly scaleVersion: string;
}

export interface PortSpec {
  /** 0: any that is free. */
  readonly servicePort: number;
  /** What the host's port must be; 0 for any. */
  readonly hostPort: number;
  /** In the container; undefined where the image or the network decides. */
  readonly containerPort?: number;
  readonly protocol: string;
  readonly name?: string | undefined;
}

type Definition = Readonly<
  Pick<AppDefinition, 'container' | 'networks' | 'portDefinitions' | 'requirePorts'>
>;

/** Whether the container has a network of its own, so that the host's ports are mapped. */
export function hasOwnNetwork({ networks, container }: Pick<Definition, 'networks' | 'container'>): boolean {
  return container !== undefined && networks.some(({ mode }) => mode !== 'host');
}

/** One for each host port that a task gets, in order. */
export function portsOf(app: Definition): PortSpec[] {
  if (!hasOwnNetwork(app)) {
    return app.portDefinitions.map(({ port, protocol, name }) => ({
      servicePort: port,
      hostPort: app.requirePorts ? port : 0,
      protocol,
      name,
    }));
  }
  const bridged = app.networks.some(({ mode }) => mode === 'container/bridge');
  // In a network of its own making a container needs no port of the host, unless it asks for one.
  return (app.container?.portMappings ?? [])
    .filter(({ hostPort }) => bridged || hostPort !== undefined)
    .map(({ servicePort, hostPort, containerPort, protocol, name }) => ({
      servicePort,
      hostPort: hostPort ?? 0,
      containerPort,
      protocol,
      name,
    }));
}

export function servicePortsOf(app: Definition): number[] {
  return portsOf(app).map(({ servicePort }) => servicePort);
}

/** The app's image, without the `docker:///` that v1 put before it. */
export function imageOf({ container }: Pick<AppDefinition, 'container'>): string | undefined {
  const image = container?.docker?.image;
  return image?.startsWith('docker:///') ? image.slice('docker:///'.length) : image;
}
