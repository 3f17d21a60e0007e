/** The configuration of Prometheus for a cluster. It names files of credentials, and never contains credentials. */

import { UsageError } from '../errors/mesosup-error.ts';
import { RULES_FILE } from './file-names.ts';
import { httpUrl, parseHostPort } from './options.ts';

/** An address to scrape: `host:port`, with brackets around an IPv6 address. */
export interface Target {
  readonly address: string;
  /** The name of the host. */
  readonly host: string;
}

/** How Prometheus authenticates to the schedulers. Files are on the machine of Prometheus. */
export type SchedulerAccess =
  | { readonly kind: 'password'; readonly user: string; readonly file: string }
  | { readonly kind: 'token'; readonly file: string };

export interface Monitored {
  readonly cluster: string;
  /** Exporters of masters and agents. */
  readonly exporters: readonly Target[];
  readonly schedulers: readonly Target[];
  readonly schedulerScheme: 'http' | 'https';
  readonly access?: SchedulerAccess | undefined;
  /** True if exporters and load balancers have TLS, too. */
  readonly allTls?: boolean;
  /** The certificates that those of servers are verified with. */
  readonly caFile?: string | undefined;
  readonly lbs: readonly Target[];
  readonly haproxies: readonly Target[];
}

/** @returns the content of `prometheus.yml` */
export function scrapeConfig(monitored: Monitored): Record<string, unknown> {
  const { cluster, exporters, schedulers, schedulerScheme, access, caFile, lbs, haproxies } = monitored;
  const job = (name: string, targets: readonly Target[], settings: object = {}) =>
    targets.length === 0
      ? []
      : [
          {
            job_name: name,
            ...settings,
            static_configs: targets.map(({ address, host }) => ({
              targets: [address],
              labels: { cluster, host },
            })),
          },
        ];
  const trust = caFile === undefined ? {} : { tls_config: { ca_file: caFile } };
  const others = monitored.allTls ? { scheme: 'https', ...trust } : {};
  return {
    global: { scrape_interval: '15s', evaluation_interval: '15s' },
    rule_files: [RULES_FILE],
    scrape_configs: [
      ...job('mesos', exporters, others),
      ...job('mesosup-scheduler', schedulers, {
        metrics_path: '/metrics/prometheus',
        scheme: schedulerScheme,
        ...accessJson(access),
        ...trust,
      }),
      ...job('mesosup-lb', lbs, others),
      ...job('haproxy', haproxies, others),
    ],
  };
}

function accessJson(access: SchedulerAccess | undefined): object {
  if (access === undefined) return {};
  if (access.kind === 'token') return { authorization: { credentials_file: access.file } };
  return { basic_auth: { username: access.user, password_file: access.file } };
}

/** Parses `HOST:PORT`. @param flag for the error. @throws UsageError */
export function parseTarget(text: string, flag: string): Target {
  const host = parseHostPort(text)?.host;
  if (host === undefined) throw new UsageError(`${flag} is '${text}': expected HOST:PORT, such as h1:9103`);
  return { address: text, host };
}

/** @throws UsageError for another text, and for a mixture of http and https */
export function schedulerTargets(
  texts: readonly string[],
  flag: string,
): Pick<Monitored, 'schedulers' | 'schedulerScheme'> {
  const urls = texts.map((text) => httpUrl(text, flag));
  const schemes = new Set(urls.map(({ protocol }) => protocol));
  if (schemes.size > 1) throw new UsageError(`${flag} has URLs with http and with https: use one of them`);
  return {
    schedulers: urls.map(({ hostname, port, protocol }) => ({
      address: `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`,
      host: hostname,
    })),
    schedulerScheme: schemes.has('https:') ? 'https' : 'http',
  };
}

/** Default ports of `mesosup lb run --stats` and `--metrics`. */
const HAPROXY_PORT = 9101;
const LB_PORT = 9102;

/** @throws UsageError */
export function lbTargets(hosts: readonly string[], flag: string): Pick<Monitored, 'lbs' | 'haproxies'> {
  const targets = (port: number) => hosts.map((host) => parseTarget(`${host}:${port}`, flag));
  return { lbs: targets(LB_PORT), haproxies: targets(HAPROXY_PORT) };
}
