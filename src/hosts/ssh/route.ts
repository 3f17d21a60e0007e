/** Decides how to reach a host, from OpenSSH's configuration and the overrides of this run (pure). */

import { HostError } from '../host.ts';
import { quote } from '../quote.ts';
import {
  badConfig,
  type ConfigLine,
  type Place,
  type Setting,
  type Settings,
  settingsFor,
} from './config-lines.ts';
import {
  expandHome,
  expandTokens,
  HostSettings,
  type Person,
  type Tokens,
  tokensOf,
  word,
} from './host-settings.ts';
import { type Jump, parseJumps } from './jumps.ts';

/** Settings of this run. They override all files. */
export interface Overrides {
  readonly user?: string;
  readonly port?: number;
  /** Path of a private key. */
  readonly key?: string;
  /** In the syntax of ProxyJump: `[user@]host[:port]`, separated by commas, or `none`. */
  readonly bastion?: string;
  /** `SHA256:…`, the fingerprint of the only accepted host key. */
  readonly hostKey?: string;
  /** Path of a file of known hosts that replaces the user's files. */
  readonly knownHosts?: string;
  /** Accept and save unknown host keys. Changed keys are still refused. */
  readonly acceptNew?: boolean;
}

export interface ConnectionPlan {
  /** The name that users know. */
  readonly host: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** Private keys to try, in order. `named`: set explicitly, not a default. */
  readonly identities: readonly { readonly file: string; readonly named: boolean }[];
  /** User certificates set explicitly, without certificates found next to an identity file. */
  readonly certificateFiles: readonly string[];
  /** Use only those keys of the agent that are also in `identities`. */
  readonly identitiesOnly: boolean;
  /** The agent's socket. */
  readonly agent: string | null;
  readonly hostKey: HostKeyPlan;
  /** The jump host. */
  readonly via: ConnectionPlan | null;
  /** The program whose input and output are the connection. */
  readonly proxyCommand: ProxyCommand | null;
  /** Milliseconds to open a shell, without the time that a person takes to answer. */
  readonly timeout: number;
  /** The connection is lost after `count` unanswered keepalives, `interval` milliseconds apart. */
  readonly keepalive: { readonly interval: number; readonly count: number };
  /** Warnings about settings that are not followed exactly. */
  readonly notices: readonly string[];
}

export interface ProxyCommand extends Place {
  /** The shell command with its tokens replaced. */
  readonly command: string;
  readonly shell: string;
}

export interface HostKeyPlan {
  /** The host's name in files of known hosts: the alias, or the host name, with a port other than 22. */
  readonly name: string;
  readonly userFiles: readonly string[];
  readonly globalFiles: readonly string[];
  readonly policy: 'strict' | 'accept-new';
  /** Write new names hashed. */
  readonly hash: boolean;
  readonly pinned: string | null;
}

const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const DEFAULT_TIMEOUT = 30_000;
/** Seconds. OpenSSH's default is none, but then a run would wait forever for a dead host. */
const KEEPALIVE = 15;
const MAX_JUMPS = 8;

/**
 * @param target the address as for `ssh`, and the name for users
 * @throws HostError 'configuration' with file and line
 */
export function resolve(
  files: readonly (readonly ConfigLine[])[],
  target: { readonly name: string; readonly address: string },
  overrides: Overrides,
  person: Person,
): ConnectionPlan {
  return { ...plan(files, { host: target.address }, overrides, person, 0), host: target.name };
}

function plan(
  files: readonly (readonly ConfigLine[])[],
  target: Jump,
  overrides: Overrides,
  person: Person,
  depth: number,
): ConnectionPlan {
  const { host } = target;
  const wantedUser = target.user ?? overrides.user;
  const settings = settingsFor({ host, user: wantedUser, localUser: person.user }, files);
  const hostSettings = new HostSettings(host, settings);
  const port = target.port ?? overrides.port ?? hostSettings.number('port', 1, 65535) ?? 22;
  const user = wantedUser ?? hostSettings.word('user') ?? person.user;
  const hostnameSetting = hostSettings.setting('hostname');
  const hostname = hostnameSetting
    ? expandTokens(host, hostnameSetting, word(hostnameSetting), { h: host, '%': '%' })
    : host;
  const tokens = tokensOf(person, host, hostname, port, user);
  const file = (setting: Setting, text: string) =>
    expandHome(person, expandTokens(host, setting, text, tokens));
  const policy = hostKeyPolicy(hostSettings, overrides);
  const alias = hostSettings.word('hostkeyalias')?.toLowerCase();
  const filesOf = (keyword: string, defaults: string[]) => {
    const setting = hostSettings.setting(keyword);
    if (!setting) return defaults;
    return setting.words.filter((text) => text.toLowerCase() !== 'none').map((text) => file(setting, text));
  };
  const timeout = hostSettings.number('connecttimeout', 0, 86_400);
  return {
    host,
    hostname,
    port,
    user,
    identities: identitiesOf(settings, overrides, person, file),
    certificateFiles: settings.certificateFiles
      .filter((setting) => word(setting).toLowerCase() !== 'none')
      .map((setting) => file(setting, word(setting))),
    identitiesOnly: hostSettings.flag('identitiesonly') ?? false,
    agent: agentOf(host, hostSettings.setting('identityagent'), person, file),
    hostKey: {
      name: alias ?? knownHostsName(hostname, port),
      userFiles:
        overrides.knownHosts !== undefined
          ? [expandHome(person, overrides.knownHosts)]
          : filesOf('userknownhostsfile', [
              `${person.home}/.ssh/known_hosts`,
              `${person.home}/.ssh/known_hosts2`,
            ]),
      globalFiles: filesOf('globalknownhostsfile', ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
      policy: policy.policy,
      hash: hostSettings.flag('hashknownhosts') ?? false,
      pinned: overrides.hostKey ?? null,
    },
    via: viaOf(files, hostSettings, target, overrides, person, depth),
    proxyCommand:
      (target.via ?? overrides.bastion)
        ? null
        : proxyCommandOf(hostSettings, { h: hostname, n: host, p: String(port), r: user }, person),
    timeout: timeout === undefined || timeout === 0 ? DEFAULT_TIMEOUT : timeout * 1000,
    keepalive: {
      interval: (hostSettings.number('serveraliveinterval', 0, 86_400) || KEEPALIVE) * 1000,
      count: hostSettings.number('serveralivecountmax', 0, 1000) ?? 3,
    },
    notices: [...policy.notices, ...settings.skippedMatches.map(skippedMatchNotice)],
  };
}

/** The key of this run, then the keys of the files; the default keys if no file names any. */
function identitiesOf(
  settings: Settings,
  overrides: Overrides,
  person: Person,
  file: (setting: Setting, text: string) => string,
): ConnectionPlan['identities'] {
  const written = settings.identityFiles.filter((setting) => word(setting).toLowerCase() !== 'none');
  const named = written.map((setting) => file(setting, word(setting)));
  if (overrides.key !== undefined) named.unshift(expandHome(person, overrides.key));
  const defaults =
    settings.identityFiles.length > 0 ? [] : DEFAULT_KEYS.map((key) => `${person.home}/.ssh/${key}`);
  return [
    ...[...new Set(named)].map((key) => ({ file: key, named: true })),
    ...defaults.map((key) => ({ file: key, named: false })),
  ];
}

/** A host's name in OpenSSH's files of known hosts. */
export function knownHostsName(hostname: string, port: number): string {
  const name = hostname.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

function skippedMatchNotice({ file, line, words }: Setting): string {
  return `${file}, line ${line}: "${words[0]}" is ignored: mesosup does not evaluate this condition`;
}

function hostKeyPolicy(
  settings: HostSettings,
  overrides: Overrides,
): { policy: 'strict' | 'accept-new'; notices: string[] } {
  const setting = settings.setting('stricthostkeychecking');
  const value = setting ? word(setting).toLowerCase() : 'ask';
  if (setting && !['yes', 'true', 'ask', 'no', 'off', 'false', 'accept-new'].includes(value)) {
    throw badConfig(settings.host, setting, `StrictHostKeyChecking can't be "${value}"`);
  }
  if (overrides.acceptNew !== undefined)
    return { policy: overrides.acceptNew ? 'accept-new' : 'strict', notices: [] };
  if (['no', 'off', 'false'].includes(value) && setting) {
    const where = `${setting.file}, line ${setting.line}`;
    const notice = `${where}: StrictHostKeyChecking ${value} is treated as accept-new: unknown host keys are saved, changed host keys are refused`;
    return { policy: 'accept-new', notices: [notice] };
  }
  return { policy: value === 'accept-new' ? 'accept-new' : 'strict', notices: [] };
}

function viaOf(
  files: readonly (readonly ConfigLine[])[],
  settings: HostSettings,
  target: Jump,
  overrides: Overrides,
  person: Person,
  depth: number,
): ConnectionPlan | null {
  const fixed =
    target.via ??
    (overrides.bastion === undefined ? undefined : parseJumps(settings.host, overrides.bastion));
  const setting = fixed === undefined ? settings.setting('proxyjump') : undefined;
  const jumps = fixed ?? (setting ? parseJumps(settings.host, setting.words.join(' '), setting) : []);
  const last = jumps.at(-1);
  if (!last || (last.host === target.host && depth > 0)) return null;
  if (depth >= MAX_JUMPS) {
    const message = `${settings.host} has more than ${MAX_JUMPS} jump hosts: ProxyJump forms a loop`;
    throw new HostError(settings.host, 'configuration', message, 'Correct ProxyJump in ~/.ssh/config.');
  }
  // The overrides of user, port and host key are for the target only, not for jump hosts.
  const { knownHosts, acceptNew, key } = overrides;
  const jumpOverrides = {
    ...(knownHosts === undefined ? {} : { knownHosts }),
    ...(acceptNew === undefined ? {} : { acceptNew }),
    ...(key === undefined ? {} : { key }),
  };
  const before = jumps.slice(0, -1);
  return plan(files, before.length > 0 ? { ...last, via: before } : last, jumpOverrides, person, depth + 1);
}

/** Refuses values of tokens that a shell would not read as one plain word, like OpenSSH since 9.6. */
function proxyCommandOf(settings: HostSettings, tokens: Tokens, person: Person): ProxyCommand | null {
  const setting = settings.setting('proxycommand');
  if (!setting || word(setting).toLowerCase() === 'none') return null;
  for (const [letter, value] of Object.entries(tokens)) {
    if (value.startsWith('-') || quote(value) !== value) {
      const what = `ProxyCommand is not run: its %${letter} would be "${value}", which a shell may misread`;
      throw badConfig(settings.host, setting, what);
    }
  }
  const { file, line } = setting;
  const command = expandTokens(settings.host, setting, word(setting), { ...tokens, '%': '%' });
  return { file, line, command, shell: person.env.SHELL || '/bin/sh' };
}

function agentOf(
  host: string,
  setting: Setting | undefined,
  person: Person,
  file: (setting: Setting, text: string) => string,
): string | null {
  if (!setting || word(setting) === 'SSH_AUTH_SOCK') return person.env.SSH_AUTH_SOCK || null;
  const text = word(setting);
  if (text.toLowerCase() === 'none') return null;
  const variable = /^\$\{?(\w+)\}?$/.exec(text)?.[1];
  if (variable === undefined) return file(setting, text);
  const value = person.env[variable];
  if (!value)
    throw badConfig(host, setting, `IdentityAgent names the variable ${variable}, which is not set`);
  return value;
}
