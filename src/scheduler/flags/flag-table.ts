/**
 * The flags of the scheduler: the daemon, its help and the check of `schedulerFlags` in a cluster.yaml read this table.
 * Marathon's names where they mean the same.
 */

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
  /** The value's name in the help. Missing: the flag is a switch. */
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
  /** Missing: any text, or checked only where the daemon runs. */
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

const ORIGINS: Form = {
  expected: '* or origins such as https://ui.example:8443, with commas between them',
  accepts: (value) => splitList(value).every((one) => one === '*' || isOrigin(one)),
};

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
  http_port: {
    value: 'PORT',
    default: '8080',
    help: 'its port; 0 for any that is free',
    form: wholeNumber(0, MAX_PORT),
  },
  https_port: {
    value: 'PORT',
    help: 'where the API listens over TLS besides; 0 for any that is free',
    form: wholeNumber(0, MAX_PORT),
  },
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
    form: ORIGINS,
  },
  http_max_connections: {
    value: 'NUMBER',
    default: '10000',
    help: 'at a time; more are cut off',
    form: wholeNumber(1, 1_000_000),
  },
  http_max_body: {
    value: 'BYTES',
    default: '1048576',
    help: "the most that a request's body may have",
    form: wholeNumber(1024, 2 ** 30),
  },
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
    form: wholeNumber(1, MAX_SECONDS),
  },
  executor: { value: 'PATH', default: '//cmd', help: 'for apps that name none' },
  docker_executor: {
    value: 'PATH',
    default: '/var/lib/mesos/executors/docker',
    help: 'where agents have the Docker executor; apps name this path',
  },
  local_port_min: {
    value: 'PORT',
    default: '10000',
    help: 'the first of the service ports given to apps',
    form: wholeNumber(1, MAX_PORT),
  },
  local_port_max: {
    value: 'PORT',
    default: '19999',
    help: 'the last of them',
    form: wholeNumber(1, MAX_PORT),
  },
  data_dir: { value: 'DIRECTORY', default: '/var/lib/mesosup/scheduler', help: 'for the state' },
  decline_offer_duration: {
    value: 'MILLISECONDS',
    default: '120000',
    help: 'how long an offer that does not do stays away',
    form: wholeNumber(0, MAX_MS),
  },
  max_instances_per_offer: {
    value: 'NUMBER',
    default: '1000',
    help: 'how many tasks are launched with one offer at most',
    form: wholeNumber(1, MAX_IN_OFFER),
  },
  reconciliation_initial_delay: {
    value: 'MILLISECONDS',
    default: '15000',
    help: 'from the subscription to the first question for all tasks the master knows',
    form: wholeNumber(0, MAX_MS),
  },
  reconciliation_interval: {
    value: 'MILLISECONDS',
    default: '600000',
    help: 'between such questions',
    form: wholeNumber(1, MAX_MS),
  },
  kill_retry_timeout: {
    value: 'MILLISECONDS',
    default: '10000',
    help: 'until a task is asked again to end',
    form: wholeNumber(1, MAX_MS),
  },
  task_launch_timeout: {
    value: 'MILLISECONDS',
    default: '300000',
    help: 'after which a task that gave no sign is ended',
    form: wholeNumber(1, MAX_MS),
  },
  endpoints_port_suffix: { help: 'name all lines of /v1/endpoints <id>_<port>' },
  logging_level: {
    value: 'LEVEL',
    default: 'info',
    help: 'trace, debug, info, warn, error or fatal',
    form: LEVEL,
  },
  check: { help: 'validate all flags and the files they name, print the first error, and exit' },
  help: { help: 'show this' },
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

/** The parts of a value with commas. */
export function splitList(value: string): string[] {
  return value.split(',').map((part) => part.trim());
}

function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text;
}
