/**
 * The labels `HAPROXY_{n}_…` of marathon-lb that configure one port of an app. Labels are data of whoever may deploy apps,
 * so each has a grammar that only contains characters without a meaning in haproxy's configuration, except templates,
 * which the operator allows. Source of names: marathon-lb's Longhelp.md.
 */

import { ipVersion } from './address.ts';

export const BALANCES = ['roundrobin', 'static-rr', 'leastconn', 'first', 'source', 'uri', 'random'] as const;
export type Balance = (typeof BALANCES)[number];

/** The templates that a label or a file of the operator can replace: lines of a backend. */
export const TEMPLATES = ['BACKEND_HTTP_OPTIONS', 'BACKEND_STICKY_OPTIONS', 'BACKEND_HSTS_OPTIONS'] as const;
export type TemplateName = (typeof TEMPLATES)[number];

export interface Paths {
  readonly ignoreCase: boolean;
  readonly prefixes: readonly string[];
}

export interface Auth {
  readonly realm: string;
  readonly user: string;
  /** In the format of crypt(3). */
  readonly passwordHash: string;
}

/** Settings of one port; a missing one has its default. */
export interface PortSettings {
  readonly groups?: readonly string[];
  readonly enabled?: boolean;
  readonly hosts?: readonly string[];
  readonly paths?: Paths;
  readonly mode?: 'tcp' | 'http';
  readonly port?: number;
  readonly balance?: Balance;
  readonly sticky?: boolean;
  readonly redirectsToHttps?: boolean;
  /** The name of a file in the directory of certificates. */
  readonly certificate?: string;
  readonly hsts?: boolean;
  readonly auth?: Auth;
  /** Addresses and networks of clients that are allowed. */
  readonly clients?: readonly string[];
  readonly bindAddress?: string;
  /** The prefix that is removed from the path of requests. */
  readonly removedPrefix?: string;
  /** The prefix that is added to `Location` in answers. */
  readonly locationPrefix?: string;
  /** Where requests to `/` are redirected. */
  readonly rootRedirect?: string;
  readonly templates?: Readonly<Partial<Record<TemplateName, string>>>;
  /** A label that restricts who reaches the port, and is refused: the port is not served rather than open to all. */
  readonly closedBy?: string;
}

/** What the operator provides and allows. */
export interface LabelPolicy {
  /** The names of the files in the directory of certificates. */
  readonly certificates: ReadonlySet<string>;
  /** The texts of the files in the directory of templates, by name. */
  readonly templates: ReadonlyMap<string, string>;
  readonly allowLabelTemplates: boolean;
}

/** @returns the settings, or a sentence part that says what the label must be */
type Parse = (value: string, policy: LabelPolicy) => PortSettings | string;

const PATH = /^\/[A-Za-z0-9._~%+:@=,/-]{0,1000}$/;
const A_PATH = 'must be a path that begins with / and contains only letters, digits and ._~%+:@=,/-';
const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const GROUP = /^([A-Za-z0-9._-]{1,128}|\*)$/;
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const AUTH = /^([A-Za-z0-9][A-Za-z0-9 ._-]{0,63}):([A-Za-z0-9._@-]{1,64}):([A-Za-z0-9./$=,-]{1,200})$/;
/**
 * Formats of crypt(3) that take little time: haproxy computes one for each request with the user's name, and one to check
 * its configuration, and all others wait meanwhile.
 */
const QUICK_HASH =
  /^(\$1\$|\$[56]\$(rounds=\d{1,5}\$)?|\$2[abxy]\$(0\d|10)\$|\$y\$j[5-9]T\$)[A-Za-z0-9./$]+$|^[A-Za-z0-9./]{13}$/;
const MAX_ITEMS = 100;
/** Begins a section of haproxy's configuration, so it may not begin a line of a template. */
const SECTION =
  /^(global|defaults|frontend|backend|listen|userlist|resolvers|peers|mailers|cache|program|ring|http-errors|fcgi-app|log-forward|crt-store|traces)$/i;

const PARSERS: Readonly<Record<string, Parse>> = {
  GROUP: (value) => {
    const groups = listOf(value, ',');
    return groups.every((one) => GROUP.test(one))
      ? { groups }
      : 'must be names of letters, digits, and ._-, separated by commas';
  },
  ENABLED: (value) => flag(value, (enabled) => ({ enabled })),
  VHOST: (value) => {
    const hosts = listOf(value.toLowerCase(), ',');
    return hosts.length > 0 && hosts.every((one) => HOST.test(one))
      ? { hosts }
      : 'must be host names, separated by commas';
  },
  PATH: (value) => {
    const [first = '', ...rest] = listOf(value, ' ');
    const ignoreCase = first === '-i';
    const prefixes = ignoreCase ? rest : [first, ...rest];
    return prefixes.length > 0 && prefixes.every((one) => PATH.test(one))
      ? { paths: { ignoreCase, prefixes } }
      : `${A_PATH}, or several of them, separated by spaces, after -i to ignore case`;
  },
  MODE: (value) => (value === 'tcp' || value === 'http' ? { mode: value } : 'must be tcp or http'),
  PORT: (value) =>
    /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
      ? { port: Number(value) }
      : 'must be a port',
  BALANCE: (value) => {
    const balance = BALANCES.find((one) => one === value);
    return balance ? { balance } : `must be one of ${BALANCES.join(', ')}`;
  },
  STICKY: (value) => flag(value, (sticky) => ({ sticky })),
  REDIRECT_TO_HTTPS: (value) => flag(value, (redirectsToHttps) => ({ redirectsToHttps })),
  USE_HSTS: (value) => flag(value, (hsts) => ({ hsts })),
  SSL_CERT: (value, { certificates }) => {
    // marathon-lb has paths here; only the name counts, in the directory of the operator.
    const certificate = value.slice(value.lastIndexOf('/') + 1);
    if (!FILE_NAME.test(certificate)) return 'must be the name of a file in the directory of certificates';
    return certificates.has(certificate)
      ? { certificate }
      : `names ${certificate}, which is not in the directory of certificates`;
  },
  AUTH: (value) => {
    const [, realm = '', user = '', passwordHash = ''] = AUTH.exec(value) ?? [];
    if (user === '') return 'must be REALM:USER:HASH, with the hash as "openssl passwd -5" prints it';
    return QUICK_HASH.test(passwordHash)
      ? { auth: { realm, user, passwordHash } }
      : 'has a hash that is none of crypt(3), or has too many rounds: use one that "openssl passwd -5" prints';
  },
  BACKEND_NETWORK_ALLOWED_ACL: (value) => {
    const clients = listOf(value, ' ');
    return clients.length > 0 && clients.every(isNetwork)
      ? { clients }
      : 'must be addresses or networks, separated by spaces';
  },
  BIND_ADDR: (value) => (ipVersion(value) !== 0 ? { bindAddress: value } : 'must be an IP address'),
  HTTP_BACKEND_PROXYPASS_PATH: (value) => (PATH.test(value) ? { removedPrefix: value } : A_PATH),
  HTTP_BACKEND_REVPROXY_PATH: (value) => (PATH.test(value) ? { locationPrefix: value } : A_PATH),
  HTTP_BACKEND_REDIR: (value) => (PATH.test(value) ? { rootRedirect: value } : A_PATH),
  ...Object.fromEntries(TEMPLATES.map((name) => [name, template(name)])),
};

/** @param name without `HAPROXY_{n}_`; undefined for an unknown name */
export function parsePortLabel(
  name: string,
  value: string,
  policy: LabelPolicy,
): PortSettings | string | undefined {
  const parse = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined;
  if (!parse) return undefined;
  const isTemplate = TEMPLATES.some((one) => one === name);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if ((isTemplate ? /[\u0000-\u0008\u000b-\u001f\u007f]/ : /[\u0000-\u001f\u007f]/).test(value))
    return 'contains control characters';
  if (!isTemplate && value.split(/[ ,]+/).length > MAX_ITEMS) return `has more than ${MAX_ITEMS} values`;
  return parse(value, policy);
}

/** @returns the lines of a template; a string that says why it is refused */
export function templateLines(text: string): readonly string[] | string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const section = lines.find((line) => SECTION.test(line.split(/\s/, 1)[0] ?? ''));
  return section === undefined ? lines : `begins another section: ${section}`;
}

function template(name: TemplateName): Parse {
  return (value, { templates, allowLabelTemplates }) => {
    const text = templates.get(value) ?? (allowLabelTemplates ? value : undefined);
    if (text === undefined) {
      return 'must be the name of a file in the directory of templates: templates in labels are not allowed (--allow-label-templates)';
    }
    const lines = templateLines(text);
    return typeof lines === 'string' ? lines : { templates: { [name]: lines.join('\n') } };
  };
}

function flag(value: string, settings: (value: boolean) => PortSettings): PortSettings | string {
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === 'yes' || lower === '1') return settings(true);
  if (lower === 'false' || lower === 'no' || lower === '0') return settings(false);
  return 'must be true or false';
}

function listOf(value: string, separator: ' ' | ','): string[] {
  const items = value.split(separator).map((one) => one.trim());
  return items.filter((one) => one !== '');
}

function isNetwork(text: string): boolean {
  const [address = '', length, ...more] = text.split('/');
  const family = ipVersion(address);
  if (family === 0 || more.length > 0 || address.includes('%')) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128));
}
