/**
 * The daemon's flags: Marathon's names where they mean the same. Each may also be given in the environment, as
 * MARATHON_ and the name in capitals; the command line wins.
 */

import { parseArgs } from 'node:util';
import { foreignFlags, unknownFlag } from './unknown-flags.ts';

interface Flag {
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
}

const FLAGS = {
  master: {
    value: 'MASTERS',
    help: 'the Mesos masters: host:port,… or zk://user:password@host:port,…/path; or file:///path with either',
  },
  zk: {
    value: 'ADDRESS',
    help: 'zk://user:password@host:port,…/path, or file:///path with that: several schedulers elect a leader there and keep the state there instead of in --data_dir',
  },
  http_address: { value: 'ADDRESS', default: '127.0.0.1', help: 'where the API listens' },
  http_port: { value: 'PORT', default: '8080', help: 'its port; 0 for any that is free' },
  https_port: { value: 'PORT', help: 'where the API listens over TLS besides; 0 for any that is free' },
  ssl_cert_file: { value: 'FILE', help: 'for that: the certificate and what leads up to it, as PEM' },
  ssl_key_file: { value: 'FILE', help: 'its key, as PEM' },
  disable_http: { help: 'listen over TLS alone' },
  http_credentials_file: {
    value: 'FILE',
    help: 'holds USER:PASSWORD, which every request but /ping must then carry (basic authentication); or set MARATHON_HTTP_CREDENTIALS',
  },
  http_tokens_file: {
    value: 'FILE',
    help: 'holds tokens, one a line; requests may carry one of them instead (Authorization: Bearer TOKEN)',
  },
  access_control_allow_origin: {
    value: 'ORIGINS',
    help: 'sites whose pages may use the API from a browser, with commas between them; * for all',
  },
  http_max_connections: { value: 'NUMBER', default: '10000', help: 'at a time; more are cut off' },
  http_max_body: { value: 'BYTES', default: '1048576', help: "the most that a request's body may have" },
  hostname: { value: 'NAME', help: "under which others reach the API; this machine's name by default" },
  framework_name: { value: 'NAME', default: 'mesosup', help: 'the name Mesos shows' },
  webui_url: { value: 'URL', help: 'where the web UI of Mesos links to' },
  cluster: { value: 'NAME', help: 'label of all containers of this cluster; the framework name by default' },
  mesos_role: { value: 'ROLE', default: '*', help: 'the role offers are asked for' },
  mesos_user: { value: 'USER', default: 'root', help: 'as whom tasks run on the agents' },
  mesos_authentication_principal: { value: 'NAME', help: 'as whom the framework authenticates' },
  mesos_authentication_secret_file: { value: 'FILE', help: 'holds the secret for that' },
  failover_timeout: {
    value: 'SECONDS',
    default: '604800',
    help: 'how long tasks run on without a scheduler',
  },
  executor: { value: 'PATH', default: '//cmd', help: 'for apps that name none' },
  docker_executor: {
    value: 'PATH',
    default: '/var/lib/mesos/executors/docker',
    help: 'where agents have the Docker executor; apps name this path',
  },
  local_port_min: { value: 'PORT', default: '10000', help: 'the first of the service ports given to apps' },
  local_port_max: { value: 'PORT', default: '19999', help: 'the last of them' },
  data_dir: { value: 'DIRECTORY', default: '/var/lib/mesosup/scheduler', help: 'for the state' },
  decline_offer_duration: {
    value: 'MILLISECONDS',
    default: '120000',
    help: 'how long an offer that does not do stays away',
  },
  max_instances_per_offer: {
    value: 'NUMBER',
    default: '1000',
    help: 'how many tasks are launched with one offer at most',
  },
  reconciliation_initial_delay: {
    value: 'MILLISECONDS',
    default: '15000',
    help: 'from the subscription to the first question for all tasks the master knows',
  },
  reconciliation_interval: { value: 'MILLISECONDS', default: '600000', help: 'between such questions' },
  kill_retry_timeout: { value: 'MILLISECONDS', default: '10000', help: 'until a task is asked again to end' },
  task_launch_timeout: {
    value: 'MILLISECONDS',
    default: '300000',
    help: 'after which a task that gave no sign is ended',
  },
  endpoints_port_suffix: { help: 'name all lines of /v1/endpoints <id>_<port>' },
  logging_level: { value: 'LEVEL', default: 'info', help: 'trace, debug, info, warn, error or fatal' },
  help: { help: 'show this' },
} as const satisfies Record<string, Flag>;

export type Name = keyof typeof FLAGS;

/** A flag is unknown, missing, or has a value that makes no sense. */
export class FlagError extends Error {
  override name = 'FlagError';
}

export interface Flags {
  text(name: Name): string | undefined;
  /** From the environment alone: arguments show in the list of processes. */
  secret(name: string): string | undefined;
  /** The value or its default. */
  required(name: Name): string;
  whole(name: Name, least: number, most: number): number;
  on(name: Name): boolean;
}

/** @throws FlagError */
export function readFlags(args: readonly string[], environment: NodeJS.ProcessEnv): Flags {
  const values = parse(args);
  const text = (name: Name): string | undefined => {
    const flag: Flag = FLAGS[name];
    const given = values[name] ?? environment[`MARATHON_${name.toUpperCase()}`];
    return given === undefined || given === true || given === '' ? flag.default : String(given);
  };
  const required = (name: Name): string => {
    const value = text(name);
    if (value === undefined) throw new FlagError(`--${name} is missing: ${FLAGS[name].help}`);
    return value;
  };
  return {
    text,
    required,
    secret: (name) => environment[`MARATHON_${name.toUpperCase()}`] || undefined,
    whole: (name, least, most) => {
      const value = required(name);
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (number >= least && number <= most) return number;
      throw new FlagError(`--${name} is '${value}': a whole number from ${least} to ${most} was expected`);
    },
    on: (name) => (values[name] ?? isOn(environment[`MARATHON_${name.toUpperCase()}`])) === true,
  };
}

export function usage(): string {
  const lines = Object.entries(FLAGS).map(([name, flag]: [string, Flag]) => {
    const left = flag.value === undefined ? `--${name}` : `--${name} ${flag.value}`;
    return `  ${left.padEnd(45)} ${flag.help}${flag.default === undefined ? '' : ` (${flag.default})`}`;
  });
  return `The scheduler: Marathon's API for people, the Mesos v1 HTTP API for the master.\n\n${lines.join('\n')}\n\nMarathon's flags that mean nothing here:\n\n${foreignFlags()}\n`;
}

function parse(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    Object.entries(FLAGS).map(([name, flag]: [string, Flag]) => [
      name,
      { type: flag.value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values as Record<
      string,
      string | boolean | undefined
    >;
  } catch (error) {
    throw new FlagError(
      unknownFlag(args, Object.keys(FLAGS)) ??
        `${error instanceof Error ? error.message : String(error)} (--help lists all flags)`,
    );
  }
}

function isOn(value: string | undefined): boolean {
  return value === '' || value === 'true' || value === '1';
}
