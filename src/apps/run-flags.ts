/** Builds an app from the flags of `mesosup app run`. */

import { UsageError } from '../errors/mesosup-error.ts';

export interface RunOptions {
  readonly image: string;
  readonly id?: string | undefined;
  readonly instances?: number | undefined;
  readonly cpus?: number | undefined;
  /** MiB */
  readonly mem?: number | undefined;
  /** `CONTAINER`, `HOST:CONTAINER`, each with `/udp` or `/tcp`. */
  readonly port?: readonly string[] | undefined;
  /** `NAME=VALUE`, or `NAME` of a variable in `environment`. */
  readonly env?: readonly string[] | undefined;
  /** Lines of files, as `env`. */
  readonly envLines?: readonly string[] | undefined;
  /** `HOST:CONTAINER` with `:ro` for read-only. */
  readonly volume?: readonly string[] | undefined;
  /** `host`, `bridge`, or the name of a network of Docker. */
  readonly network?: string | undefined;
  /** `NAME=VALUE` */
  readonly label?: readonly string[] | undefined;
  /** `FIELD:OPERATOR`, `FIELD:OPERATOR:VALUE` */
  readonly constraint?: readonly string[] | undefined;
  /** `http:/PATH`, `tcp`, `cmd:COMMAND` */
  readonly check?: string | undefined;
  readonly cmd?: string | undefined;
  readonly user?: string | undefined;
  /** `KEY=VALUE` for `docker create`. */
  readonly parameter?: readonly string[] | undefined;
  readonly args: readonly string[];
}

/**
 * @param environment of this process, for variables without a value
 * @returns the body that creates the app; the scheduler checks the rest
 * @throws UsageError that names the flag
 */
export function appFromFlags(
  options: RunOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const { image, instances, cpus, mem, cmd, user, args, network, check } = options;
  const mappings = (options.port ?? []).map(portMapping);
  const isHost = network === 'host';
  if (isHost && mappings.some(({ hostPort }) => hostPort !== undefined)) {
    throw new UsageError('--port HOST:CONTAINER has no effect with --network host: write --port PORT');
  }
  if (cmd !== undefined && args.length > 0) {
    throw new UsageError('--cmd and arguments after -- exclude each other: --cmd is a shell command');
  }
  if (check !== undefined && !check.startsWith('cmd:') && mappings.length === 0) {
    throw new UsageError(`--check ${check} needs a port: add --port`);
  }
  const volumes = (options.volume ?? []).map(volumeOf);
  const parameters = (options.parameter ?? []).map((text) => {
    const [key, value] = pair(text, '--parameter', 'KEY=VALUE');
    return { key, value };
  });
  const env = Object.fromEntries(
    [...(options.envLines ?? []), ...(options.env ?? [])].map((text) => variable(text, environment)),
  );
  const labels = Object.fromEntries((options.label ?? []).map((text) => pair(text, '--label', 'NAME=VALUE')));
  return {
    id: options.id ?? idOfImage(image),
    ...(instances !== undefined && { instances }),
    ...(cpus !== undefined && { cpus }),
    ...(mem !== undefined && { mem }),
    ...(cmd !== undefined && { cmd }),
    ...(args.length > 0 && { args }),
    ...(user !== undefined && { user }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(options.constraint && { constraints: options.constraint.map(constraintOf) }),
    container: {
      type: 'DOCKER',
      docker: { image, ...(parameters.length > 0 && { parameters }) },
      ...(volumes.length > 0 && { volumes }),
      ...(!isHost && mappings.length > 0 && { portMappings: mappings }),
    },
    networks: [networkOf(network)],
    ...(isHost && mappings.length > 0 && hostPorts(mappings)),
    ...(check !== undefined && { healthChecks: [healthCheck(check)] }),
  };
}

interface Mapping {
  readonly containerPort: number;
  /** Absent: any port. */
  readonly hostPort?: number;
  readonly protocol: string;
}

function portMapping(text: string): Mapping {
  const match = /^(?:(\d{1,5}):)?(\d{1,5})(?:\/(tcp|udp))?$/.exec(text);
  const [, host, container, protocol = 'tcp'] = match ?? [];
  const isPort = (port: string | undefined) => port === undefined || Number(port) <= 65_535;
  if (!match || !isPort(host) || !isPort(container)) {
    throw new UsageError(`--port ${text}: expected PORT or HOST:CONTAINER, for example 6379 or 80:8080/udp`);
  }
  return {
    containerPort: Number(container),
    ...(host !== undefined && { hostPort: Number(host) }),
    protocol,
  };
}

/** The container uses the ports of its host. */
function hostPorts(mappings: readonly Mapping[]) {
  return {
    portDefinitions: mappings.map(({ containerPort: port, protocol }) => ({ port, protocol })),
    requirePorts: true,
  };
}

function networkOf(network = 'bridge'): Record<string, string> {
  if (network === 'host') return { mode: 'host' };
  return network === 'bridge' ? { mode: 'container/bridge' } : { mode: 'container', name: network };
}

function volumeOf(text: string): Record<string, string> {
  const [hostPath, containerPath, mode, ...rest] = text.split(':');
  const isMode = mode === undefined || mode === 'ro' || mode === 'rw';
  if (!hostPath || !containerPath || !isMode || rest.length > 0) {
    throw new UsageError(`--volume ${text}: expected HOST:CONTAINER or HOST:CONTAINER:ro`);
  }
  return { hostPath, containerPath, mode: mode === 'ro' ? 'RO' : 'RW' };
}

function constraintOf(text: string): string[] {
  const [field, operator, ...value] = text.split(':');
  if (!field || !operator) {
    throw new UsageError(
      `--constraint ${text}: expected FIELD:OPERATOR or FIELD:OPERATOR:VALUE, for example hostname:UNIQUE`,
    );
  }
  return [field, operator, ...(value.length > 0 ? [value.join(':')] : [])];
}

/** The agent makes the check, since it reaches the container in every network. */
function healthCheck(text: string): Record<string, unknown> {
  const timing = { delaySeconds: 0, intervalSeconds: 5, timeoutSeconds: 5 };
  if (text === 'tcp') return { protocol: 'MESOS_TCP', portIndex: 0, ...timing };
  const [, kind, rest = ''] = /^(http|cmd)(?::([\s\S]*))?$/.exec(text) ?? [];
  if (kind === 'http' && (rest === '' || rest.startsWith('/'))) {
    return { protocol: 'MESOS_HTTP', path: rest || '/', portIndex: 0, ...timing };
  }
  if (kind === 'cmd' && rest !== '') return { protocol: 'COMMAND', command: { value: rest }, ...timing };
  throw new UsageError(`--check ${text}: expected http:/PATH, tcp or cmd:COMMAND`);
}

/**
 * Reads NAME=VALUE, or NAME of a variable in `environment`. A value may be secret, so no message contains it.
 * @throws UsageError
 */
export function variable(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): [name: string, value: string] {
  if (/^[^=\s]+=/.test(text)) return pair(text, '--env', 'NAME=VALUE');
  if (!/^[A-Za-z_]\w*$/.test(text)) {
    throw new UsageError('--env, or a line of --env-file, is neither NAME=VALUE nor NAME', {
      remedy: 'It is not shown here, since it may be secret. Write a variable in each line.',
    });
  }
  const value = environment[text];
  if (value !== undefined) return [text, value];
  throw new UsageError(`--env ${text}: there is no such variable in the environment: write ${text}=VALUE`);
}

function pair(text: string, flag: string, form: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`${flag} ${text}: expected ${form}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** @returns the lines that set variables: without comments and empty ones */
export function envFileLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The last part of the image's name, without tag: `registry.example:5000/team/web:1` is `web`. */
export function idOfImage(image: string): string {
  const name = image
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .split('/')
    .at(-1);
  return (name ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
}
