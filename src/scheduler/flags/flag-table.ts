/**
 * The flags of the scheduler. The daemon, its help, and the validation of `schedulerFlags` in cluster.yaml read this
 * table. Flags that exist in Marathon too have Marathon's names.
 */

import { isTlsMode, TLS_MODES } from '../../tls/settings.ts';
import { CONTAINERIZERS, isContainerizer } from '../domain/containerizer-name.ts';

/** The values that a flag accepts. */
interface Form {
  /** As a noun: `a whole number from 1 to 65535`. */
  readonly expected: string;
  accepts(value: string): boolean;
}

interface WholeNumberForm extends Form {
  readonly wholeNumber: true;
}

export interface Flag {
  /** Name of the value in the help. Missing: the flag is a switch. */
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
  /** Missing: any text is accepted, or the value is validated only on the host where the daemon runs. */
  readonly form?: Form;
}

const MAX_MS = 2 ** 31 - 1;
const MAX_SECONDS = 10 * 365 * 86_400;
const MAX_IN_OFFER = 1_000_000;
const MAX_PORT = 65_535;

function wholeNumber(least: number, most: number): WholeNumberForm {
  return {
    wholeNumber: true,
    expected: `a whole number from ${least} to ${most}`,
    accepts: (value) => /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most,
  };
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const LEVEL: Form = {
  expected: `one of ${LEVELS.join(', ')}`,
  accepts: (value) => LEVELS.includes(value.toLowerCase()),
};

const CONTAINERIZER: Form = {
  expected: `one of ${CONTAINERIZERS.join(', ')}`,
  accepts: isContainerizer,
};

const TLS_MODE: Form = { expected: `one of ${TLS_MODES.join(', ')}`, accepts: isTlsMode };

/** Marathon's rule. */
const NETWORK_NAME: Form = {
  expected: "letters, digits and '-', '_' or '.'",
  accepts: (value) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value),
};

const ORIGINS: Form = {
  expected: '* or origins such as https://ui.example:8443, separated by commas',
  accepts: (value) => splitList(value).every((one) => one === '*' || isOrigin(one)),
};

const FLAGS = {
  master: {
    value: 'MASTERS',
    help: 'address of the Mesos masters: host:port,… or zk://user:password@host:port,…/path; or file:///path of a file with the address',
  },
  zk: {
    value: 'ADDRESS',
    help: 'elect a leader among several schedulers and keep the state in ZooKeeper instead of --data_dir: zk://user:password@host:port,…/path, or file:///path of a file with the address',
  },
  http_address: { value: 'ADDRESS', default: '127.0.0.1', help: 'address on which the API listens' },
  http_port: {
    value: 'PORT',
    default: '8080',
    help: 'port on which the API listens; 0 for any free port',
    form: wholeNumber(0, MAX_PORT),
  },
  https_port: {
    value: 'PORT',
    help: 'port on which the API also listens with TLS, the same for all schedulers; 0 for any free port. If it is the port of --http_port, this one port takes both',
    form: wholeNumber(0, MAX_PORT),
  },
  ssl_cert_file: {
    value: 'FILE',
    help: 'PEM file with the TLS certificate and its chain, for the API and for connections to Mesos and to other schedulers; read again when it changes',
  },
  ssl_key_file: {
    value: 'FILE',
    help: 'PEM file with the key of the certificate; read again when it changes',
  },
  ssl_ca_file: {
    value: 'FILE',
    help: 'PEM file with the certificates that verify those of other schedulers, of Mesos and of clients that have one; read again when it changes; default: those of the system, and without --disable_http also --ssl_cert_file',
  },
  ssl_require_service_cert: {
    help: 'refuse requests that other schedulers forward, and connections of executors, without a certificate that --ssl_ca_file verifies; people need none',
  },
  disable_http: { help: 'listen only with TLS' },
  mesos_ssl: {
    value: 'MODE',
    default: 'off',
    help: 'how to connect to Mesos masters and agents: off (plain text), preferred (TLS, or plain text where they do not take it), required (TLS only)',
    form: TLS_MODE,
  },
  http_credentials_file: {
    value: 'FILE',
    help: 'file with USER:PASSWORD of an operator (basic authentication); or set MARATHON_HTTP_CREDENTIALS. With this or one of the next two flags, every request except /ping and the sign-in of the web page must authenticate',
  },
  http_users_file: {
    value: 'FILE',
    help: 'file with further users, one NAME:PASSWORD per line, below [viewer] or [operator]; a user may have several lines with a password each; instead of a password, a hash made by "mesosup scheduler password"',
  },
  http_tokens_file: {
    value: 'FILE',
    help: 'file with tokens, one TOKEN or NAME:TOKEN per line, below [viewer] or [operator]; requests may send one of them (Authorization: Bearer TOKEN)',
  },
  http_session_idle: {
    value: 'SECONDS',
    default: '3600',
    help: 'sign people out of the web page so long after its last request',
    form: wholeNumber(1, MAX_SECONDS),
  },
  http_session_lifetime: {
    value: 'SECONDS',
    default: '43200',
    help: 'sign people out of the web page so long after they signed in',
    form: wholeNumber(1, MAX_SECONDS),
  },
  access_control_allow_origin: {
    value: 'ORIGINS',
    help: 'sites whose pages may use the API from a browser, separated by commas; * for all',
    form: ORIGINS,
  },
  http_max_connections: {
    value: 'NUMBER',
    default: '10000',
    help: 'maximum number of concurrent connections; further ones are closed',
    form: wholeNumber(1, 1_000_000),
  },
  http_max_body: {
    value: 'BYTES',
    default: '33554432',
    help: 'maximum size of a request body; the default takes groups of thousands of apps',
    form: wholeNumber(1024, 2 ** 30),
  },
  hostname: {
    value: 'NAME',
    help: 'host name under which clients reach the API; defaults to the host name of this machine',
  },
  framework_name: { value: 'NAME', default: 'mesosup', help: 'framework name shown by Mesos' },
  webui_url: { value: 'URL', help: 'link target in the web UI of Mesos' },
  cluster: { value: 'NAME', help: 'label of all containers of this cluster; defaults to the framework name' },
  mesos_role: { value: 'ROLE', default: '*', help: 'role with which the framework subscribes' },
  mesos_user: { value: 'USER', default: 'root', help: 'user that runs the tasks on the agents' },
  mesos_authentication_principal: { value: 'NAME', help: 'principal with which the framework authenticates' },
  mesos_authentication_secret_file: {
    value: 'FILE',
    help: 'file with the secret of the principal; further lines are secrets that are tried if Mesos refuses the first one',
  },
  agent_credential_file: {
    value: 'FILE',
    help: "file with PRINCIPAL:SECRET with which the scheduler reads tasks' output and files from the agents; needed if the agents authenticate requests (--authenticate_http_readonly)",
  },
  failover_timeout: {
    value: 'SECONDS',
    default: '604800',
    help: 'how long tasks keep running without a scheduler',
    form: wholeNumber(1, MAX_SECONDS),
  },
  disable_exec: { help: 'run no commands in containers of tasks: refuse POST /v2/tasks/{id}/exec' },
  executor: { value: 'PATH', default: '//cmd', help: 'executor of apps that do not name one' },
  docker_executor: {
    value: 'PATH',
    default: '/var/lib/mesos/executors/docker',
    help: 'path of the Docker executor on the agents, as apps name it',
  },
  containerizer: {
    value: 'CONTAINERIZER',
    default: 'executor',
    help: "runs the Docker images of new apps that do not choose one: executor (the Docker executor), docker or mesos (Mesos' own containerizers, which need nothing of mesosup on the agents)",
    form: CONTAINERIZER,
  },
  mesos_bridge_name: {
    value: 'NAME',
    default: 'mesos-bridge',
    help: 'CNI network for containers of the Mesos containerizer with the network mode container/bridge',
    form: NETWORK_NAME,
  },
  default_network_name: {
    value: 'NAME',
    help: 'network of apps with the network mode container that name none; default: such apps are refused',
    form: NETWORK_NAME,
  },
  docker_cpu_quota: {
    help: 'limit the CPU time of containers to their cpus, unless the app sets container.docker.cpuQuota',
  },
  gpu_resources: { help: 'receive offers of agents with GPUs, which Mesos keeps from other frameworks' },
  policy: {
    value: 'FILE',
    help: 'JSON file that allows plain commands, other executors, containerizers of Mesos, users and URIs; with it, all others are refused',
  },
  local_port_min: {
    value: 'PORT',
    default: '10000',
    help: 'lowest service port to assign to apps',
    form: wholeNumber(1, MAX_PORT),
  },
  local_port_max: {
    value: 'PORT',
    default: '19999',
    help: 'highest service port to assign to apps',
    form: wholeNumber(1, MAX_PORT),
  },
  data_dir: { value: 'DIRECTORY', default: '/var/lib/mesosup/scheduler', help: 'directory for the state' },
  decline_offer_duration: {
    value: 'MILLISECONDS',
    default: '120000',
    help: 'how long the resources of a declined offer are not offered again',
    form: wholeNumber(0, MAX_MS),
  },
  max_instances_per_offer: {
    value: 'NUMBER',
    default: '1000',
    help: 'maximum number of tasks to launch with one offer',
    form: wholeNumber(1, MAX_IN_OFFER),
  },
  reconciliation_initial_delay: {
    value: 'MILLISECONDS',
    default: '15000',
    help: 'delay from the subscription to the first reconciliation of all tasks',
    form: wholeNumber(0, MAX_MS),
  },
  reconciliation_interval: {
    value: 'MILLISECONDS',
    default: '600000',
    help: 'time between reconciliations of all tasks',
    form: wholeNumber(1, MAX_MS),
  },
  kill_retry_timeout: {
    value: 'MILLISECONDS',
    default: '10000',
    help: 'time after which a kill is repeated',
    form: wholeNumber(1, MAX_MS),
  },
  task_launch_timeout: {
    value: 'MILLISECONDS',
    default: '300000',
    help: 'time after which a launched task without a status update is killed',
    form: wholeNumber(1, MAX_MS),
  },
  endpoints_port_suffix: { help: 'start every line of /v1/endpoints with <id>_<port>' },
  logging_level: {
    value: 'LEVEL',
    default: 'info',
    help: 'lowest level to log: trace, debug, info, warn, error or fatal',
    form: LEVEL,
  },
  check: { help: 'validate all flags and the files they name, print the first error, and exit' },
  help: { help: 'show this help' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof FLAGS;

/** Flags whose value is a whole number. */
export type WholeNumberFlagName = {
  [Name in FlagName]: (typeof FLAGS)[Name] extends { form: WholeNumberForm } ? Name : never;
}[FlagName];

export const FLAG_NAMES = Object.keys(FLAGS) as FlagName[];

export function flagOf(name: FlagName): Flag {
  return FLAGS[name];
}

export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name);
}

/** Splits a value at its commas. */
export function splitList(value: string): string[] {
  return value.split(',').map((part) => part.trim());
}

function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text;
}
