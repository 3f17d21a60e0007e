/**
 * Parses the options of `docker create` as the docker program does (the library pflag), and writes each as one word
 * `--name=value`. In this form the docker program can't take a word for anything else: no word is the value of another
 * option, the image, or an argument. Source: github.com/spf13/pflag, and `docker create --help` of Docker 28.
 */

export interface DockerOption {
  /** The long name, without dashes. */
  readonly name: string;
  /** Undefined only for an option that this file does not know and that has no value. */
  readonly value: string | undefined;
}

/** Options that are true or false. They never take the next word as their value. */
const SWITCHES = new Set([
  ...['disable-content-trust', 'help', 'init', 'interactive', 'no-healthcheck', 'oom-kill-disable'],
  ...['privileged', 'publish-all', 'quiet', 'read-only', 'rm', 'tty', 'use-api-socket'],
]);

/** Options with a value. */
const VALUED = new Set([
  ...['add-host', 'annotation', 'attach', 'blkio-weight', 'blkio-weight-device', 'cap-add', 'cap-drop'],
  ...['cgroup-parent', 'cgroupns', 'cidfile', 'cpu-count', 'cpu-percent', 'cpu-period', 'cpu-quota'],
  ...['cpu-rt-period', 'cpu-rt-runtime', 'cpu-shares', 'cpus', 'cpuset-cpus', 'cpuset-mems', 'device'],
  ...['device-cgroup-rule', 'device-read-bps', 'device-read-iops', 'device-write-bps', 'device-write-iops'],
  ...['dns', 'dns-option', 'dns-search', 'domainname', 'entrypoint', 'env', 'env-file', 'expose', 'gpus'],
  ...['group-add', 'health-cmd', 'health-interval', 'health-retries', 'health-start-interval'],
  ...['health-start-period', 'health-timeout', 'hostname', 'io-maxbandwidth', 'io-maxiops', 'ip', 'ip6'],
  ...['ipc', 'isolation', 'kernel-memory', 'label', 'label-file', 'link', 'link-local-ip', 'log-driver'],
  ...['log-opt', 'mac-address', 'memory', 'memory-reservation', 'memory-swap', 'memory-swappiness', 'mount'],
  ...[
    'name',
    'network',
    'network-alias',
    'oom-score-adj',
    'pid',
    'pids-limit',
    'platform',
    'publish',
    'pull',
  ],
  ...['restart', 'runtime', 'security-opt', 'shm-size', 'stop-signal', 'stop-timeout', 'storage-opt'],
  ...['sysctl', 'tmpfs', 'ulimit', 'user', 'userns', 'uts', 'volume', 'volume-driver', 'volumes-from'],
  ...['workdir'],
]);

export const SHORT_OPTIONS: Readonly<Record<string, string>> = {
  a: 'attach',
  c: 'cpu-shares',
  e: 'env',
  h: 'hostname',
  i: 'interactive',
  l: 'label',
  m: 'memory',
  p: 'publish',
  P: 'publish-all',
  q: 'quiet',
  t: 'tty',
  u: 'user',
  v: 'volume',
  w: 'workdir',
};

/** Hidden names of the docker program for other options. */
const ALIASES: Readonly<Record<string, string>> = {
  net: 'network',
  'net-alias': 'network-alias',
  'dns-opt': 'dns-option',
};

/** The long names of the options that this file knows. */
export const KNOWN_OPTIONS: readonly string[] = [...SWITCHES, ...VALUED];

/** True if the option is true or false, false if it takes a value. */
export function isSwitch(name: string): boolean {
  return SWITCHES.has(name);
}

export type ParsedOptions = { readonly options: readonly DockerOption[] } | { readonly problem: string };

/** @param words as users write them for `docker create`, without the image and its arguments */
export function parseOptions(words: readonly string[]): ParsedOptions {
  const options: DockerOption[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.includes('\0')) return { problem: `${JSON.stringify(word)} contains a NUL character` };
    const parsed = word.startsWith('--') ? parseLong(word, rest) : parseShort(word, rest);
    if ('problem' in parsed) return parsed;
    options.push(...parsed.options);
  }
  return { options };
}

/** @returns one word for each option */
export function optionWords(options: readonly DockerOption[]): string[] {
  return options.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`));
}

/** @param rest the words after this one; a value is removed from it */
function parseLong(word: string, rest: string[]): ParsedOptions {
  const [, written = '', attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (!/^[a-z0-9][a-z0-9-]*$/.test(written))
    return { problem: `"${word}" is not an option of docker create` };
  const name = Object.hasOwn(ALIASES, written) ? (ALIASES[written] ?? '') : written;
  if (attached !== undefined) return { options: [{ name, value: attached }] };
  if (SWITCHES.has(name)) return { options: [{ name, value: 'true' }] };
  if (VALUED.has(name)) return withNext(name, word, rest);
  const isValue = rest[0] !== undefined && !rest[0].startsWith('-');
  return { options: [{ name, value: isValue ? rest.shift() : undefined }] };
}

/** Parses `-v /a:/b`, `-v/a:/b`, `-v=/a:/b`, and several switches in one word. */
function parseShort(word: string, rest: string[]): ParsedOptions {
  if (!/^-./.test(word)) {
    return { problem: `"${word}" is neither an option nor a value: docker create would use it as the image` };
  }
  const options: DockerOption[] = [];
  for (let letters = word.slice(1); letters !== ''; letters = letters.slice(1)) {
    const letter = letters.charAt(0);
    const name = Object.hasOwn(SHORT_OPTIONS, letter) ? SHORT_OPTIONS[letter] : undefined;
    if (name === undefined) return { problem: `"-${letter}" in "${word}" is not an option of docker create` };
    const following = letters.slice(1);
    if (following.startsWith('=')) return { options: [...options, { name, value: following.slice(1) }] };
    if (SWITCHES.has(name)) {
      options.push({ name, value: 'true' });
    } else if (following !== '') {
      return { options: [...options, { name, value: following }] };
    } else {
      const valued = withNext(name, word, rest);
      return 'problem' in valued ? valued : { options: [...options, ...valued.options] };
    }
  }
  return { options };
}

function withNext(name: string, word: string, rest: string[]): ParsedOptions {
  const value = rest.shift();
  if (value === undefined) return { problem: `"${word}" has no value` };
  if (value.includes('\0')) return { problem: `the value of "${word}" contains a NUL character` };
  return { options: [{ name, value }] };
}
