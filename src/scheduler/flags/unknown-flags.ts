/** Error texts for flags that the daemon doesn't have: flags that only Marathon has, and misspelt flags. */

import { suggest } from '../../text/suggest.ts';

/** Flags of Marathon that are not supported, by reason. Source of the names: the flags of Marathon 1.11. */
const UNSUPPORTED: readonly (readonly [reason: string, ...names: string[]])[] = [
  [
    'the password would be visible in the process list: use --http_credentials_file, or set MARATHON_HTTP_CREDENTIALS',
    'http_credentials',
  ],
  [
    'certificates are PEM files: set --ssl_cert_file and --ssl_key_file',
    'ssl_keystore_path',
    'ssl_keystore_password',
  ],
  ['tasks get PORT, HOST and the other variables without a prefix', 'env_vars_prefix'],
  ['schedulers elect a leader if --zk is set', 'ha', 'disable_ha'],
  ['tasks always outlive the scheduler', 'checkpoint', 'disable_checkpoint'],
  [
    'the store does not need it',
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
    'clients read events from /v2/events',
    'event_subscriber',
    'http_endpoints',
    'event_stream_max_outstanding_messages',
  ],
  [
    'metrics are always available at /metrics and /metrics/prometheus',
    'metrics_prometheus',
    'metrics_datadog',
    'metrics_statsd',
  ],
  [
    'the scheduler requests offers as soon as it needs them',
    'revive_offers_for_new_apps',
    'disable_revive_offers_for_new_apps',
    'min_revive_offers_interval',
    'launch_tokens',
    'launch_token_refresh_interval',
    'offer_matching_timeout',
    'max_parallel_offers',
  ],
  ['missing instances are launched at once', 'scale_apps_initial_delay', 'scale_apps_interval'],
  [
    'mesosup has no such feature',
    'features',
    'plugin_dir',
    'plugin_conf',
    'assets_path',
    'mesos_leader_ui_url',
  ],
];

/** @returns why a flag of Marathon is not supported; undefined for any other name */
export function unsupportedFlagReason(name: string): string | undefined {
  return UNSUPPORTED.find(([, ...names]) => names.includes(name))?.[0];
}

/** @returns an error text for the first unknown flag, or undefined if all flags are known */
export function describeUnknownFlag(args: readonly string[], known: readonly string[]): string | undefined {
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || known.includes(name)) continue;
    const reason = unsupportedFlagReason(name);
    if (reason !== undefined)
      return `--${name} is a flag of Marathon that mesosup does not support: ${reason}`;
    const nearest = suggest(name.replaceAll('-', '_'), known);
    const hint = nearest === undefined ? '' : ` Did you mean --${nearest}?`;
    return `Unknown option '--${name}'.${hint} (--help lists all flags)`;
  }
  return undefined;
}

export function listUnsupportedFlags(): string {
  return UNSUPPORTED.map(
    ([reason, ...names]) => `  ${names.map((name) => `--${name}`).join(', ')}\n      ${reason}`,
  ).join('\n');
}
