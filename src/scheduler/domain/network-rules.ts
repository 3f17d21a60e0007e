/** The rules for the networks of an app. Source: NetworkValidation and AppNormalization of Marathon 1.11. */

/** The part of a definition that the rules concern. */
interface Networked {
  readonly networks: readonly {
    readonly mode: string;
    readonly name?: string | undefined;
    readonly aliases?: readonly string[] | undefined;
  }[];
  readonly container?:
    | {
        readonly docker?: object | undefined;
        readonly portMappings?: readonly { readonly hostPort?: number | undefined }[] | undefined;
      }
    | undefined;
}

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export function* findNetworkProblems({ networks, container }: Networked): Generator<Problem> {
  if (networks.length > 1 && networks.some(({ mode }) => mode !== 'container')) {
    yield { path: ['networks'], message: 'may have several entries only if all have mode container' };
  }
  for (const [i, { mode, name }] of networks.entries()) {
    const path = ['networks', i, 'name'];
    if (name !== undefined && mode !== 'container') {
      yield {
        path,
        message: `can't be set with the mode ${mode}: only networks of mode container have names`,
      };
    } else if (
      networks.findIndex((one) => one.mode === mode && one.name === name) < i &&
      mode === 'container'
    ) {
      yield { path, message: name === undefined ? 'may be empty for one entry only' : sameNameText(name) };
    }
  }
  const [first] = networks;
  if (!networks.some(({ aliases = [] }) => aliases.length > 0)) return;
  if (networks.length > 1 || first?.mode !== 'container' || first.name === undefined || !container?.docker) {
    const message = 'need a single network of mode container with a name, and an image';
    yield { path: ['networks', 0, 'aliases'], message };
  }
}

export function sameNameText(name: string): string {
  return `is ${name}, as of another entry`;
}

/** Fills in the host ports of a bridge: each of its ports is published, by default at any port. */
export function withHostPorts<D extends Networked>(definition: D): D {
  const { container, networks } = definition;
  if (!container?.portMappings?.some(({ hostPort }) => hostPort === undefined)) return definition;
  if (!networks.some(({ mode }) => mode === 'container/bridge')) return definition;
  const portMappings = container.portMappings.map((one) => ({ ...one, hostPort: one.hostPort ?? 0 }));
  return { ...definition, container: { ...container, portMappings } };
}
