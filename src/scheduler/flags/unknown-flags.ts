/** What to say of a flag that the daemon doesn't have: Marathon's that mean nothing here, and words mistyped. */

import { suggest } from '../../text/suggest.ts';

/** By the reason. Source of the names: Marathon 1.11's flags. */
const UNSUPPORTED: readonly (readonly [reason: string, ...names: string[]])[] = [
  [
    'it would show in the list of processes: name a file with --http_credentials_file, or set MARATHON_HTTP_CREDENTIALS',
    'http_credentials',
  ],
  [
    'certificates are PEM here: give --ssl_cert_file and --ssl_key_file',
    'ssl_keystore_path',
    'ssl_keystore_password',
  ],
  ['tasks get PORT, HOST and the others without a prefix', 'env_vars_prefix'],
  ['with --zk there is an election, without there is none', 'ha', 'disable_ha'],
  ['tasks always outlive the scheduler', 'checkpoint', 'disable_checkpoint'],
  [
    'the state is kept without it',
    'zk_timeout',
    'zk_session_timeout',
    'zk_connection_timeout',
    'zk_max_versions',
    'zk_compression',
    'zk_compression_threshold',
    'zk_max_node_size',
    'store_cache',
    'disable_store_cache',
    'internal_store_backend',
  ],
  [
    'events are read from /v2/events',
    'event_subscriber',
    'http_endpoints',
    'event_stream_max_outstanding_messages',
  ],
  [
    'metrics are always at /metrics and /metrics/prometheus',
    'metrics_prometheus',
    'metrics_datadog',
    'metrics_statsd',
  ],
  [
    'offers are asked for when they are needed, and at once',
    'revive_offers_for_new_apps',
    'disable_revive_offers_for_new_apps',
    'min_revive_offers_interval',
    'launch_tokens',
    'launch_token_refresh_interval',
    'offer_matching_timeout',
    'max_parallel_offers',
  ],
  ['apps are scaled as soon as they lack an instance', 'scale_apps_initial_delay', 'scale_apps_interval'],
  [
    'there is nothing like it here',
    'features',
    'plugin_dir',
    'plugin_conf',
    'assets_path',
    'mesos_leader_ui_url',
  ],
];

/** Why a flag of Marathon's is not accepted here; undefined for any other name. */
export function unsupportedFlagReason(name: string): string | undefined {
  return UNSUPPORTED.find(([, ...names]) => names.includes(name))?.[0];
}

/** @returns what is wrong with the first flag that is not among the known, or undefined where there is none */
export function describeUnknownFlag(args: readonly string[], known: readonly string[]): string | undefined {
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || known.includes(name)) continue;
    const reason = unsupportedFlagReason(name);
    if (reason !== undefined) return `--${name} is Marathon's, and not taken here: ${reason}`;
    const nearest = suggest(name.replaceAll('-', '_'), known);
    const hint = nearest === undefined ? '' : ` Was --${nearest} meant?`;
    return `Unknown option '--${name}'.${hint} (--help lists all flags)`;
  }
  return undefined;
}

export function listUnsupportedFlags(): string {
  return UNSUPPORTED.map(
    ([reason, ...names]) => `  ${names.map((name) => `--${name}`).join(', ')}\n      ${reason}`,
  ).join('\n');
}
