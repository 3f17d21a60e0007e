/** The flags of the load balancer, for its own program and for `mesosup lb run`. */

import { UsageError } from '../errors/mesosup-error.ts';
import { type ProgramTls, programTls } from '../tls/settings.ts';
import { type HostPort, ipVersion, parseHostPort } from './address.ts';
import type { Range } from './routing.ts';

interface Flag {
  /** Name of the value in the help; missing for a switch. */
  readonly value?: string;
  readonly preset?: string;
  readonly help: string;
}

export const LB_FLAGS = {
  url: {
    value: 'URL,URL',
    preset: 'http://127.0.0.1:8080',
    help: 'URLs of the schedulers, separated by commas.',
  },
  'credentials-file': {
    value: 'PATH',
    help: 'File with USER:PASSWORD for the API; the role viewer is enough.',
  },
  'token-file': { value: 'PATH', help: 'File with a token for the API.' },
  'ca-file': {
    value: 'PATH',
    help: 'File with the CA of the schedulers; read again when it changes. Default: the CAs of the system.',
  },
  'cert-file': {
    value: 'PATH',
    help: 'PEM file with the certificate of this program, for the schedulers, --stats and --metrics; read again when it changes.',
  },
  'key-file': { value: 'PATH', help: 'PEM file with the key of the certificate.' },
  tls: {
    value: 'MODE',
    preset: 'off',
    help: 'off, preferred (--stats and --metrics take TLS and plain text; http:// URLs are tried with TLS first) or required (TLS only).',
  },
  group: { value: 'NAME,NAME', help: 'Only apps of these groups (label HAPROXY_GROUP). Default: all apps.' },
  address: { value: 'IP', preset: '*', help: 'Address on which service ports and virtual hosts listen.' },
  'http-port': { value: 'PORT', preset: '80', help: 'Port of virtual hosts.' },
  'https-port': {
    value: 'PORT',
    preset: '443',
    help: 'Port of virtual hosts with TLS, if there are certificates.',
  },
  'certificate-dir': {
    value: 'PATH',
    help: 'Directory of certificates: files NAME.pem with certificate and key.',
  },
  'template-dir': { value: 'PATH', help: 'Directory of templates, named like the labels of marathon-lb.' },
  'allow-label-templates': {
    help: "Accept haproxy's configuration in labels. Whoever may deploy apps then controls haproxy.",
  },
  'share-hosts': { help: 'Let apps of different groups have paths of the same virtual host.' },
  'reserved-ports': {
    value: 'PORT,FROM-TO',
    preset: '2181,2888,3888,5050,5051,8080,8443,31000-32000',
    help: 'Ports that apps may not use: ports of the cluster, and ports that agents offer.',
  },
  stats: {
    value: 'HOST:PORT',
    preset: '127.0.0.1:9101',
    help: "Address of haproxy's statistics page and Prometheus metrics.",
  },
  metrics: {
    value: 'HOST:PORT',
    preset: '127.0.0.1:9102',
    help: 'Address of the Prometheus metrics of this program.',
  },
  'data-dir': {
    value: 'PATH',
    preset: '/var/lib/mesosup/lb',
    help: 'Directory for the configuration and the state.',
  },
  haproxy: { value: 'PATH', preset: '/usr/sbin/haproxy', help: 'Path of haproxy.' },
  'haproxy-user': {
    value: 'NAME',
    preset: 'haproxy',
    help: 'User to which haproxy changes when it is started by root.',
  },
  'gather-ms': { value: 'MS', preset: '100', help: 'Time in which changes are gathered.' },
  'reload-interval-ms': { value: 'MS', preset: '2000', help: 'Least time between two reloads of haproxy.' },
  'max-reloads': {
    value: 'NUMBER',
    preset: '100',
    help: 'Maximum number of reloads that an open connection survives: each reload leaves an old haproxy process for open connections.',
  },
  'slow-start-ms': { value: 'MS', preset: '0', help: 'Time in which the share of a new task grows.' },
  dns: { value: 'IP:PORT', help: 'Answer DNS queries for apps at this address. Default: no DNS server.' },
  'dns-domain': { value: 'NAME', preset: 'mesos', help: 'The domain of the DNS names.' },
  'dns-ttl': { value: 'SECONDS', preset: '5', help: 'Time for which clients may keep DNS answers.' },
  'dns-forward': {
    value: 'IP:PORT',
    help: 'DNS server to which queries for other domains are forwarded. Default: they are refused.',
  },
  checks: { help: 'Let haproxy check servers too, by connecting to them.' },
} as const satisfies Readonly<Record<string, Flag>>;

export type LbFlag = keyof typeof LB_FLAGS;
export type LbValues = Readonly<Partial<Record<LbFlag, string | boolean | undefined>>>;

export interface LbOptions {
  readonly urls: readonly string[];
  readonly credentialsFile: string | undefined;
  readonly tokenFile: string | undefined;
  readonly tls: ProgramTls;
  readonly groups: readonly string[];
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly certificateDirectory: string | undefined;
  readonly templateDirectory: string | undefined;
  readonly allowLabelTemplates: boolean;
  readonly sharesHosts: boolean;
  readonly reserved: readonly Range[];
  readonly stats: string;
  readonly metrics: { readonly host: string; readonly port: number };
  readonly dataDirectory: string;
  readonly haproxy: string;
  readonly haproxyUser: string;
  readonly gatherMs: number;
  readonly reloadIntervalMs: number;
  readonly maxReloads: number;
  readonly slowStartMs: number;
  readonly checks: boolean;
  readonly dns: DnsAddress | undefined;
}

export interface DnsAddress extends HostPort {
  readonly domain: string;
  /** Seconds. */
  readonly ttl: number;
  readonly forward: HostPort | undefined;
}

/** A path that needs no quoting in haproxy's configuration. */
const PLAIN_PATH = /^\/[A-Za-z0-9/._-]{0,200}$/;
const DOMAIN = /^(?=.{1,60}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const MAX_MS = 3_600_000;

/** @throws UsageError that names the flag */
export function readOptions(values: LbValues): LbOptions {
  const text = (name: LbFlag): string | undefined => {
    const value = values[name] ?? ('preset' in LB_FLAGS[name] ? LB_FLAGS[name].preset : undefined);
    return typeof value === 'string' ? value : undefined;
  };
  const checked = (name: LbFlag, isValid: (value: string) => boolean, expected: string): string => {
    const value = text(name) ?? '';
    if (!isValid(value)) throw new UsageError(`--${name} is '${value}': expected ${expected}`);
    return value;
  };
  const number = (name: LbFlag, most: number, least = 0) =>
    Number(
      checked(
        name,
        (value) => /^\d{1,7}$/.test(value) && Number(value) >= least && Number(value) <= most,
        `a whole number from ${least} to ${most}`,
      ),
    );
  const path = (name: LbFlag) =>
    checked(name, (value) => PLAIN_PATH.test(value), 'an absolute path of letters, digits, and ._-');
  const directory = (name: LbFlag) => (text(name) === undefined ? undefined : path(name));
  const address = (name: LbFlag) => {
    const value = text(name) ?? '';
    const parsed = parseHostPort(value);
    if (!parsed || ipVersion(parsed.host) === 0)
      throw new UsageError(`--${name} is '${value}': expected IP:PORT, such as 127.0.0.1:9101`);
    return parsed;
  };
  // Checked also without --dns: a spec's flags are checked one by one.
  const dnsOptions = {
    domain: checked('dns-domain', (value) => DOMAIN.test(value), 'small letters, digits, hyphens and dots'),
    ttl: number('dns-ttl', 86_400),
    forward: text('dns-forward') === undefined ? undefined : address('dns-forward'),
  };
  const httpPort = number('http-port', 65_535, 1);
  const httpsPort = number('https-port', 65_535, 1);
  const metrics = address('metrics');
  const dns = text('dns') === undefined ? undefined : { ...address('dns'), ...dnsOptions };
  const own = [httpPort, httpsPort, address('stats').port, metrics.port, ...(dns ? [dns.port] : [])];
  return {
    urls: listOf(
      checked('url', isUrlList, 'http:// or https:// URLs without a password, separated by commas'),
    ),
    credentialsFile: text('credentials-file'),
    tokenFile: text('token-file'),
    tls: tlsOf(text),
    groups: listOf(text('group') ?? ''),
    address: checked('address', (value) => value === '*' || ipVersion(value) !== 0, 'an IP address or *'),
    httpPort,
    httpsPort,
    certificateDirectory: directory('certificate-dir'),
    templateDirectory: directory('template-dir'),
    allowLabelTemplates: values['allow-label-templates'] === true,
    sharesHosts: values['share-hosts'] === true,
    reserved: [
      ...rangesOf(checked('reserved-ports', isRangeList, 'ports and ranges such as 5050,31000-32000')),
      ...own.map((port) => ({ begin: port, end: port })),
    ],
    stats: text('stats') ?? '',
    metrics,
    dataDirectory: path('data-dir'),
    haproxy: path('haproxy'),
    haproxyUser: checked(
      'haproxy-user',
      (value) => /^[a-z_][a-z0-9_-]{0,31}$/.test(value),
      'the name of a user',
    ),
    gatherMs: number('gather-ms', MAX_MS),
    reloadIntervalMs: number('reload-interval-ms', MAX_MS),
    maxReloads: number('max-reloads', 10_000, 1),
    slowStartMs: number('slow-start-ms', MAX_MS),
    checks: values.checks === true,
    dns,
  };
}

function tlsOf(text: (name: LbFlag) => string | undefined): ProgramTls {
  const found = programTls({
    tls: text('tls'),
    'ca-file': text('ca-file'),
    'cert-file': text('cert-file'),
    'key-file': text('key-file'),
  });
  if ('tls' in found) return found.tls;
  throw new UsageError(found.problem);
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function isUrlList(text: string): boolean {
  const urls = listOf(text).map((one) => URL.parse(one));
  return (
    urls.length > 0 &&
    urls.every((url) => url && /^https?:$/.test(url.protocol) && url.username + url.password === '')
  );
}

function isRangeList(text: string): boolean {
  return (
    listOf(text).every((one) => /^\d{1,5}(-\d{1,5})?$/.test(one)) &&
    rangesOf(text).every(({ begin, end }) => begin <= end && end <= 65_535)
  );
}

function rangesOf(text: string): Range[] {
  return listOf(text).map((one) => {
    const [begin = 0, end = begin] = one.split('-').map(Number);
    return { begin, end };
  });
}
