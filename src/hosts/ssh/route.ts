/** How a host is to be reached, from OpenSSH's configuration and what was said for this run (pure). */

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
import { type Jump, parseJumps } from './jumps.ts';
import { expand, home, type Person, Said, type Tokens, tokensOf, word } from './said.ts';

/** What was said for this run; it wins over every file. */
export interface Overrides {
  readonly user?: string;
  readonly port?: number;
  /** Path of a private key. */
  readonly key?: string;
  /** As ProxyJump writes it: `[user@]host[:port]`, several with commas, or `none`. */
  readonly bastion?: string;
  /** `SHA256:…`: the only host key that will do. */
  readonly hostKey?: string;
  /** Path of a file of known hosts, instead of the user's. */
  readonly knownHosts?: string;
  /** Take a host key that no file knows yet, and write it down; a changed one is refused all the same. */
  readonly acceptNew?: boolean;
}

export interface ConnectionPlan {
  /** As people know it. */
  readonly host: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** Private keys to try, in order. `named`: by someone, not by default. */
  readonly identities: readonly { readonly file: string; readonly named: boolean }[];
  /** User certificates that are named; those beside an identity are not among them. */
  readonly certificateFiles: readonly string[];
  /** Of the agent's keys only those that are also named. */
  readonly identitiesOnly: boolean;
  /** The agent's socket. */
  readonly agent: string | null;
  readonly hostKey: HostKeyPlan;
  /** The host to go through. */
  readonly via: ConnectionPlan | null;
  /** The program whose input and output are the connection. */
  readonly proxyCommand: ProxyCommand | null;
  /** Milliseconds for the way to a shell, without what a person takes to answer. */
  readonly timeout: number;
  /** A connection on which so many questions, so many milliseconds apart, stay without an answer is lost. */
  readonly keepalive: { readonly interval: number; readonly count: number };
  /** What of the configuration is not followed to the letter. */
  readonly notices: readonly string[];
}

export interface ProxyCommand extends Place {
  /** For the shell, with its tokens replaced. */
  readonly command: string;
  readonly shell: string;
}

export interface HostKeyPlan {
  /** Under which the key is filed: the alias, or the host name with a port that is not 22. */
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
/** Seconds; unlike OpenSSH never without, since a run that waits for a dead host would wait for ever. */
const KEEPALIVE = 15;
const MAX_JUMPS = 8;

/**
 * @param target its address as one would give it to `ssh`, and what people call it
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
  asked: Jump,
  overrides: Overrides,
  person: Person,
  depth: number,
): ConnectionPlan {
  const { host } = asked;
  const wantedUser = asked.user ?? overrides.user;
  const settings = settingsFor({ host, user: wantedUser, localUser: person.user }, files);
  const said = new Said(host, settings);
  const port = asked.port ?? overrides.port ?? said.number('port', 1, 65535) ?? 22;
  const user = wantedUser ?? said.word('user') ?? person.user;
  const named = said.setting('hostname');
  const hostname = named ? expand(host, named, word(named), { h: host, '%': '%' }) : host;
  const tokens = tokensOf(person, host, hostname, port, user);
  const file = (setting: Setting, text: string) => home(person, expand(host, setting, text, tokens));
  const policy = hostKeyPolicy(said, overrides);
  const alias = said.word('hostkeyalias')?.toLowerCase();
  const known = (keyword: string, defaults: string[]) => {
    const setting = said.setting(keyword);
    if (!setting) return defaults;
    return setting.words.filter((text) => text.toLowerCase() !== 'none').map((text) => file(setting, text));
  };
  const timeout = said.number('connecttimeout', 0, 86_400);
  return {
    host,
    hostname,
    port,
    user,
    identities: identitiesOf(settings, overrides, person, file),
    certificateFiles: settings.certificateFiles
      .filter((setting) => word(setting).toLowerCase() !== 'none')
      .map((setting) => file(setting, word(setting))),
    identitiesOnly: said.flag('identitiesonly') ?? false,
    agent: agentOf(host, said.setting('identityagent'), person, file),
    hostKey: {
      name: alias ?? filedName(hostname, port),
      userFiles:
        overrides.knownHosts !== undefined
          ? [home(person, overrides.knownHosts)]
          : known('userknownhostsfile', [
              `${person.home}/.ssh/known_hosts`,
              `${person.home}/.ssh/known_hosts2`,
            ]),
      globalFiles: known('globalknownhostsfile', ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
      policy: policy.policy,
      hash: said.flag('hashknownhosts') ?? false,
      pinned: overrides.hostKey ?? null,
    },
    via: viaOf(files, said, asked, overrides, person, depth),
    proxyCommand:
      (asked.via ?? overrides.bastion)
        ? null
        : proxyCommandOf(said, { h: hostname, n: host, p: String(port), r: user }, person),
    timeout: timeout === undefined || timeout === 0 ? DEFAULT_TIMEOUT : timeout * 1000,
    keepalive: {
      interval: (said.number('serveraliveinterval', 0, 86_400) || KEEPALIVE) * 1000,
      count: said.number('serveralivecountmax', 0, 1000) ?? 3,
    },
    notices: [...policy.notices, ...settings.passedOver.map(passedOver)],
  };
}

/** The key of this run, those of the files, and the usual ones where no file names any. */
function identitiesOf(
  settings: Settings,
  overrides: Overrides,
  person: Person,
  file: (setting: Setting, text: string) => string,
): ConnectionPlan['identities'] {
  const written = settings.identityFiles.filter((setting) => word(setting).toLowerCase() !== 'none');
  const named = written.map((setting) => file(setting, word(setting)));
  if (overrides.key !== undefined) named.unshift(home(person, overrides.key));
  const usual =
    settings.identityFiles.length > 0 ? [] : DEFAULT_KEYS.map((key) => `${person.home}/.ssh/${key}`);
  return [
    ...[...new Set(named)].map((key) => ({ file: key, named: true })),
    ...usual.map((key) => ({ file: key, named: false })),
  ];
}

/** The name under which OpenSSH files a host's keys. */
export function filedName(hostname: string, port: number): string {
  const name = hostname.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

function passedOver({ file, line, words }: Setting): string {
  return `${file}, line ${line}: "${words[0]}" is taken as not met; mesosup doesn't evaluate it`;
}

function hostKeyPolicy(
  said: Said,
  overrides: Overrides,
): { policy: 'strict' | 'accept-new'; notices: string[] } {
  const setting = said.setting('stricthostkeychecking');
  const value = setting ? word(setting).toLowerCase() : 'ask';
  if (setting && !['yes', 'true', 'ask', 'no', 'off', 'false', 'accept-new'].includes(value)) {
    throw badConfig(said.host, setting, `StrictHostKeyChecking can't be "${value}"`);
  }
  if (overrides.acceptNew !== undefined)
    return { policy: overrides.acceptNew ? 'accept-new' : 'strict', notices: [] };
  if (['no', 'off', 'false'].includes(value) && setting) {
    const where = `${setting.file}, line ${setting.line}`;
    const notice = `${where}: StrictHostKeyChecking ${value} is taken as accept-new: new keys are written down, changed ones refused`;
    return { policy: 'accept-new', notices: [notice] };
  }
  return { policy: value === 'accept-new' ? 'accept-new' : 'strict', notices: [] };
}

function viaOf(
  files: readonly (readonly ConfigLine[])[],
  said: Said,
  asked: Jump,
  overrides: Overrides,
  person: Person,
  depth: number,
): ConnectionPlan | null {
  const fixed =
    asked.via ?? (overrides.bastion === undefined ? undefined : parseJumps(said.host, overrides.bastion));
  const setting = fixed === undefined ? said.setting('proxyjump') : undefined;
  const jumps = fixed ?? (setting ? parseJumps(said.host, setting.words.join(' '), setting) : []);
  const last = jumps.at(-1);
  if (!last || (last.host === asked.host && depth > 0)) return null;
  if (depth >= MAX_JUMPS) {
    const message = `the way to ${said.host} goes through more than ${MAX_JUMPS} hosts; ProxyJump runs in a circle`;
    throw new HostError(said.host, 'configuration', message, 'Look for ProxyJump in ~/.ssh/config.');
  }
  // What was said for the target alone (its user, port and host key) is not said for the hosts on the way.
  const { knownHosts, acceptNew, key } = overrides;
  const onTheWay = {
    ...(knownHosts === undefined ? {} : { knownHosts }),
    ...(acceptNew === undefined ? {} : { acceptNew }),
    ...(key === undefined ? {} : { key }),
  };
  const before = jumps.slice(0, -1);
  return plan(files, before.length > 0 ? { ...last, via: before } : last, onTheWay, person, depth + 1);
}

/** The tokens' values are refused where a shell would read more than a word in one, as OpenSSH does since 9.6. */
function proxyCommandOf(said: Said, tokens: Tokens, person: Person): ProxyCommand | null {
  const setting = said.setting('proxycommand');
  if (!setting || word(setting).toLowerCase() === 'none') return null;
  for (const [letter, value] of Object.entries(tokens)) {
    if (value.startsWith('-') || quote(value) !== value) {
      const what = `ProxyCommand is not run, since its %${letter} would be "${value}", which a shell may misread`;
      throw badConfig(said.host, setting, what);
    }
  }
  const { file, line } = setting;
  const command = expand(said.host, setting, word(setting), { ...tokens, '%': '%' });
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
