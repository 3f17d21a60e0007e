/** Writes haproxy's configuration. */

import { bindText } from './address.ts';
import { TEMPLATES, type TemplateName } from './port-labels.ts';
import type { HostRule } from './routing.ts';
import { slotName } from './runtime-commands.ts';
import type { Service } from './service.ts';
import type { Slots } from './slots.ts';

export interface ConfigurationOptions {
  /** haproxy's runtime socket. */
  readonly socket: string;
  /** Unix user and group that haproxy changes to after its start as root. */
  readonly user: string | undefined;
  /** The address of service ports and virtual hosts. */
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** `HOST:PORT` of the statistics page and of `/metrics`. */
  readonly stats: string;
  /** If the statistics have TLS. */
  readonly statsTls?: StatsTls | undefined;
  /** The directory of certificates. */
  readonly certificateDirectory: string | undefined;
  /** The names of its files, with an equal fingerprint for equal content. */
  readonly certificates: ReadonlyMap<string, string>;
  /** Lines of the operator for all backends of the mode http, by template. */
  readonly templates: ReadonlyMap<string, string>;
  /** haproxy's own checks of servers, in addition to the scheduler's. */
  readonly checks: boolean;
  /** Number of reloads that a process with open connections survives. */
  readonly maxReloads: number;
  /** Milliseconds in which the share of a new server grows; 0: at once. */
  readonly slowStartMs: number;
}

export interface StatsTls {
  /** The path of the certificate with its key. */
  readonly file: string;
  /** Equal for equal content of the file. */
  readonly fingerprint: string;
  /** The name of a Unix socket, if the port takes plain text, too; no other haproxy of this host has it. */
  readonly plainSocket?: string;
}

export interface Line {
  readonly text: string;
  /** The app whose labels or tasks the line comes from; undefined for lines that the operator wrote for all. */
  readonly appId?: string;
}

export interface Configuration {
  /** Without the addresses of servers: if they are equal, servers can be changed without a reload. */
  readonly structure: string;
  readonly lines: readonly Line[];
}

/** The file name in the configuration for which the caller inserts the path; `folded` has the rules that ignore case. */
export type MapName = 'hosts' | 'folded';

/** All files beside the configuration. */
export type FileName = MapName | 'certificates';

const HTTP_LINES = [
  'option forwardfor',
  'http-request set-header X-Forwarded-Port %[dst_port]',
  'http-request set-header X-Forwarded-Proto https if { ssl_fc }',
  'http-request set-header X-Forwarded-Proto http unless { ssl_fc }',
];
const STICKY_LINES = ['cookie mesosup_server insert indirect nocache httponly'];
const HSTS_LINES = ['http-response set-header Strict-Transport-Security max-age=15768000'];

function weightOption(weight: number | undefined): string {
  return weight === undefined ? '' : ` weight ${weight}`;
}

/** @param mapFile returns the path of a file */
export function configure(
  services: readonly Service[],
  hosts: readonly HostRule[],
  slots: Slots,
  options: ConfigurationOptions,
  mapFile: (name: FileName) => string,
): Configuration {
  const lines: Line[] = [...head(options), ...hostFrontends(hosts, options, mapFile)];
  const structure: string[] = lines.map(({ text }) => text);
  const ofAll = new Set(TEMPLATES.flatMap((name) => operatorTemplate(name, options) ?? []));
  for (const service of services) {
    const { appId } = service;
    const before = [...frontend(service, options), ...backend(service, options)];
    const options_ = serverOptions(service, options);
    const servers = (slots.get(service.backend)?.slots ?? []).map(({ server }, i) => {
      const name = slotName(i);
      const cookie = service.settings.sticky && service.mode === 'http' ? ` cookie ${name}` : '';
      return server
        ? `  server ${name} ${server.address}${weightOption(server.weight)}${cookie}${options_}`
        : `  server ${name} 127.0.0.1:9${cookie}${options_} disabled`;
    });
    lines.push(
      ...[...before, ...servers].map((text) => (ofAll.has(text.trim()) ? { text } : { text, appId })),
    );
    structure.push(...before, `${servers.length} servers${options_}`);
  }
  for (const [name, fingerprint] of options.certificates) structure.push(`${name} ${fingerprint}`);
  structure.push(options.statsTls?.fingerprint ?? '');
  return { structure: structure.join('\n'), lines };
}

/**
 * The content of a map: the longest key that a request begins with decides, also between the maps. So a value is the length
 * of the key, the backend, and what happens to requests without TLS, separated by slashes.
 */
export function mapText(name: MapName, hosts: readonly HostRule[]): string {
  return hosts
    .filter((rule) => rule.ignoreCase === (name === 'folded'))
    .map(({ host, prefix, service }) => {
      const key = `${host}${prefix}`;
      return `${key} ${key.length}/${service.backend}/${service.settings.redirectsToHttps ? 'redirect' : 'serve'}\n`;
    })
    .sort()
    .join('');
}

/** The certificates of virtual hosts; the first one is for clients that name no host. */
export function certificateList(names: Iterable<string>, directory: string | undefined): string {
  return [...names]
    .sort()
    .map((name) => `${directory}/${name}\n`)
    .join('');
}

/** One port can't take both: a frontend of TCP looks at the first bytes, and passes the connection on within haproxy. */
function statisticsLines({ stats, statsTls }: ConfigurationOptions): string[] {
  if (!statsTls) return ['frontend mesosup-statistics', '  mode http', `  bind ${stats}`];
  const { file, plainSocket: name } = statsTls;
  const tls = `ssl crt ${file}`;
  if (name === undefined) return ['frontend mesosup-statistics', '  mode http', `  bind ${stats} ${tls}`];
  const inside = ['tls', 'plain'].map(
    (kind) => [`mesosup-statistics-${kind}`, `abns@${name}-${kind}`] as const,
  );
  return [
    'frontend mesosup-statistics-port',
    '  mode tcp',
    `  bind ${stats}`,
    '  tcp-request inspect-delay 5s',
    '  tcp-request content accept if { req.len gt 0 }',
    '  use_backend mesosup-statistics-tls if { req.ssl_hello_type 1 }',
    '  default_backend mesosup-statistics-plain',
    ...inside.flatMap(([backend, socket]) => [
      `backend ${backend}`,
      '  mode tcp',
      `  server own ${socket} send-proxy-v2`,
    ]),
    'frontend mesosup-statistics',
    '  mode http',
    `  bind ${inside[0]?.[1]} accept-proxy ${tls}`,
    `  bind ${inside[1]?.[1]} accept-proxy`,
  ];
}

function head(options: ConfigurationOptions): Line[] {
  const { socket, user, maxReloads } = options;
  return [
    '# Written by mesosup lb: changes are lost.',
    'global',
    `  stats socket ${socket} mode 600 level admin expose-fd listeners`,
    ...(user === undefined ? [] : [`  user ${user}`, `  group ${user}`]),
    // Connections of earlier processes end with their last request, or after this time.
    '  hard-stop-after 1h',
    `  mworker-max-reloads ${maxReloads}`,
    '  ssl-default-bind-options ssl-min-ver TLSv1.2',
    '  tune.ssl.default-dh-param 2048',
    'defaults',
    '  retries 3',
    // Only connections that could not be made: a request that was sent is never repeated.
    '  retry-on conn-failure',
    '  option redispatch 1',
    // A client whose connection is idle during a reload would lose its next request otherwise.
    '  option idle-close-on-response',
    '  timeout connect 5s',
    '  timeout client 1m',
    '  timeout server 1m',
    '  timeout http-request 15s',
    '  timeout http-keep-alive 30s',
    '  timeout queue 30s',
    '  timeout tunnel 1h',
    ...statisticsLines(options),
    '  http-request use-service prometheus-exporter if { path /metrics }',
    '  stats enable',
    '  stats uri /',
  ].map((text) => ({ text }));
}

function hostFrontends(
  hosts: readonly HostRule[],
  options: ConfigurationOptions,
  mapFile: (name: FileName) => string,
): Line[] {
  if (hosts.length === 0) return [];
  const { address, httpPort, httpsPort, certificates } = options;
  const route = [
    '  http-request set-var(txn.mesosup_path) path',
    '  http-request set-var(txn.mesosup_url) req.hdr(host),field(1,:),lower,concat(,txn.mesosup_path)',
    `  http-request set-var(txn.mesosup_rule) var(txn.mesosup_url),map_beg(${mapFile('hosts')},0)`,
    '  http-request set-var(txn.mesosup_length) var(txn.mesosup_rule),field(1,/),add(0)',
    `  http-request set-var(txn.mesosup_folded) var(txn.mesosup_url),lower,map_beg(${mapFile('folded')},0)`,
    '  http-request set-var(txn.mesosup_rule) var(txn.mesosup_folded) if { var(txn.mesosup_folded),field(1,/),sub(txn.mesosup_length) gt 0 }',
  ];
  const backends = [
    '  use_backend %[var(txn.mesosup_rule),field(2,/)] if { var(txn.mesosup_rule),field(2,/) -m found }',
  ];
  const redirects = [
    '  http-request redirect scheme https code 301 if { var(txn.mesosup_rule),field(3,/) -m str redirect }',
  ];
  const https =
    certificates.size === 0
      ? []
      : [
          'frontend mesosup-https',
          '  mode http',
          // A line may have 64 words: the names of certificates are in a file.
          `  bind ${bindText(address, httpsPort)} ssl crt-list ${mapFile('certificates')} alpn h2,http/1.1`,
          ...route,
          ...backends,
        ];
  return [
    'frontend mesosup-http',
    '  mode http',
    `  bind ${bindText(address, httpPort)}`,
    ...route,
    // Without a certificate there is nothing to redirect to.
    ...(certificates.size === 0 ? [] : redirects),
    ...backends,
    ...https,
  ].map((text) => ({ text }));
}

function frontend({ backend: name, port, mode, settings }: Service, options: ConfigurationOptions): string[] {
  if (port === undefined) return [];
  const { certificate, bindAddress = options.address } = settings;
  const tls = certificate === undefined ? '' : ` ssl crt ${options.certificateDirectory}/${certificate}`;
  const alpn = tls !== '' && mode === 'http' ? ' alpn h2,http/1.1' : '';
  return [
    `frontend port-${port}`,
    `  mode ${mode}`,
    ...timeouts(mode, 'client'),
    `  bind ${bindText(bindAddress, port)}${tls}${alpn}`,
    `  default_backend ${name}`,
  ];
}

/** Connections of other protocols may be idle for long. */
function timeouts(mode: 'tcp' | 'http', side: 'client' | 'server'): string[] {
  return mode === 'http' ? [] : [`  timeout ${side} 1h`];
}

function backend({ backend: name, mode, settings }: Service, options: ConfigurationOptions): string[] {
  const { balance = 'roundrobin', auth, clients } = settings;
  const usable = balance === 'uri' && mode === 'tcp' ? 'roundrobin' : balance;
  const needsHash = usable === 'source' || usable === 'uri';
  const users = `${name}-users`;
  const list =
    auth && mode === 'http' ? [`userlist ${users}`, `  user ${auth.user} password ${auth.passwordHash}`] : [];
  const own = [
    `mode ${mode}`,
    `balance ${usable}`,
    // With free places among the servers, the other method would change with each of them.
    ...(needsHash ? ['hash-type consistent'] : []),
    ...(clients ? clientLines(clients, mode) : []),
    ...(mode === 'http' ? httpLines(settings, users, options) : []),
  ];
  return [...list, `backend ${name}`, ...timeouts(mode, 'server'), ...own.map((one) => `  ${one}`)];
}

/** A line may have 64 words; lines with the name of one list are its parts. */
function clientLines(clients: readonly string[], mode: 'tcp' | 'http'): string[] {
  const parts = Array.from({ length: Math.ceil(clients.length / 50) }, (_, i) =>
    clients.slice(50 * i, 50 * i + 50),
  );
  return [
    ...parts.map((part) => `acl mesosup_clients src ${part.join(' ')}`),
    `${mode === 'http' ? 'http-request deny' : 'tcp-request content reject'} unless mesosup_clients`,
  ];
}

function httpLines(settings: Service['settings'], users: string, options: ConfigurationOptions): string[] {
  const { auth, sticky, hsts, removedPrefix, locationPrefix, rootRedirect, templates = {} } = settings;
  const template = (name: keyof typeof templates, preset: readonly string[]) =>
    templates[name]?.split('\n') ?? operatorTemplate(name, options) ?? preset;
  return [
    ...(auth ? [`http-request auth realm ${quoted(auth.realm)} unless { http_auth(${users}) }`] : []),
    ...template('BACKEND_HTTP_OPTIONS', HTTP_LINES),
    ...(sticky ? template('BACKEND_STICKY_OPTIONS', STICKY_LINES) : []),
    ...(hsts ? template('BACKEND_HSTS_OPTIONS', HSTS_LINES) : []),
    ...(rootRedirect
      ? [`http-request redirect code 301 location ${escaped(rootRedirect)} if { path / }`]
      : []),
    ...(removedPrefix
      ? [`http-request replace-path ^${regex(removedPrefix.replace(/\/$/, ''))}(?:/(.*))?$ /\\1`]
      : []),
    ...(locationPrefix
      ? [
          `http-response replace-header Location (https?://[^/]+)?(/.*) ${escaped(locationPrefix.replace(/\/$/, ''))}\\2`,
        ]
      : []),
  ];
}

/** @returns the lines for all backends; undefined without a file */
function operatorTemplate(name: TemplateName, { templates }: ConfigurationOptions): string[] | undefined {
  const lines = templates.get(`HAPROXY_${name}`)?.split('\n');
  return lines?.map((line) => line.trim()).filter((line) => line !== '');
}

function serverOptions({ settings }: Service, { checks, slowStartMs }: ConfigurationOptions): string {
  const { balance } = settings;
  const grows = slowStartMs > 0 && balance !== 'static-rr' && balance !== 'first';
  return `${checks ? ' check' : ''}${grows ? ` slowstart ${slowStartMs}ms` : ''}`;
}

function quoted(realm: string): string {
  return realm.replaceAll(' ', '\\ ');
}

/** In arguments that may contain expressions, only `%` has a meaning. */
function escaped(path: string): string {
  return path.replaceAll('%', '%%');
}

function regex(path: string): string {
  return path.replaceAll(/[.+]/g, (one) => `\\\\${one}`);
}
