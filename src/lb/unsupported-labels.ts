/** Why labels of marathon-lb are refused. Source of the names: its Longhelp.md. */

const OWN_LINES = 'is not supported: the load balancer writes these lines of the configuration itself';

const REASONS: readonly (readonly [names: RegExp, why: string])[] = [
  [
    /^BACKEND_WEIGHT$/,
    'is not supported: of several paths that match, the longest decides, whatever their order',
  ],
  [
    /HEALTHCHECK/,
    'is not supported: tasks are checked by the health checks of the app; portIndex names the port of a check',
  ],
  [/^BIND_OPTIONS$/, 'is not supported: all apps have the same TLS versions and ciphers'],
  [/^BACKEND_SERVER_OPTIONS$/, `${OWN_LINES}; a share of the requests is HAPROXY_DEPLOYMENT_SHARE`],
  [/_ACL(_|$)/, `${OWN_LINES}; use _BACKEND_NETWORK_ALLOWED_ACL and _AUTH`],
  [/_GLUE$|_HEAD$|_FRONTEND_|^MAP_|REDIRECT_HTTP_TO_HTTPS/, OWN_LINES],
];

/** Labels in which marathon-lb's zdd.py keeps the state of a deployment. */
const OF_ZDD = /^DEPLOYMENT_(ALT_PORT|COLOUR|NEW_INSTANCES|STARTED_AT|TARGET_INSTANCES)$/;

/** @param name without `HAPROXY_` and the index of a port @returns continues a sentence that begins with the label */
export function unsupported(name: string): string {
  if (OF_ZDD.test(name))
    return 'is for zdd.py of marathon-lb, and has no effect: HAPROXY_DEPLOYMENT_SHARE sets the share of an app';
  return REASONS.find(([names]) => names.test(name))?.[1] ?? 'is not supported';
}
