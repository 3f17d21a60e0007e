/** Which app gets which port, virtual host and path, and which tasks serve it. */

import { parseHostPort } from './address.ts';
import { readAppLabels } from './app-labels.ts';
import { type GroupedApp, joinDeploymentGroups } from './deployment-groups.ts';
import type { LabelPolicy, PortSettings } from './port-labels.ts';
import { backendName, type Problem, type Service } from './service.ts';
import { type BalancedApp, oldestFirst, type Snapshot } from './snapshot.ts';

/** A part of a virtual host. The longest prefix that matches a request decides. */
export interface HostRule {
  readonly host: string;
  readonly prefix: string;
  readonly ignoreCase: boolean;
  readonly service: Service;
}

/** The backends that have ports, and the apps that have hosts, so that another one does not take them away. */
export interface Claims {
  readonly ports: Readonly<Record<string, string>>;
  readonly hosts: Readonly<Record<string, string>>;
}

export interface Range {
  readonly begin: number;
  readonly end: number;
}

export interface RoutingOptions extends LabelPolicy {
  /** Only apps of these groups; empty for all. `*` is every group. */
  readonly groups: readonly string[];
  /** Ports that no app may have. */
  readonly reserved: readonly Range[];
  /** True if apps of different groups may have paths of the same virtual host. */
  readonly sharesHosts: boolean;
}

export interface Routing {
  readonly services: readonly Service[];
  readonly hosts: readonly HostRule[];
  readonly problems: readonly Problem[];
  readonly claims: Claims;
}

export const NO_CLAIMS: Claims = { ports: {}, hosts: {} };
const LEAST_PORT = 1024;
/** Of one app: each path of its labels counts for each of its hosts. */
const MAX_RULES = 1000;

export function route(snapshot: Snapshot, options: RoutingOptions, before: Claims): Routing {
  const problems: Problem[] = [];
  const wanted = joinDeploymentGroups(
    oldestFirst(snapshot).map((app) => groupedApp(app, options, problems)),
    problems,
  );
  const ports = claim(
    wanted,
    before.ports,
    ({ backend }) => backend,
    ({ port }) => (port === undefined ? [] : [String(port)]),
  );
  const hosts = claim(
    wanted,
    before.hosts,
    ({ appId }) => appId,
    ({ settings, mode }) => (mode === 'http' ? (settings.hosts ?? []) : []),
  );
  const appOf = new Map(wanted.map(({ backend, appId }) => [backend, appId]));
  const services = wanted.map((service) => {
    const { appId, backend, port } = service;
    const owner = port === undefined ? undefined : ports[port];
    if (owner === undefined || owner === backend) return service;
    problems.push({ appId, text: `port ${port} belongs to ${appOf.get(owner)}` });
    return { ...service, port: undefined };
  });
  const rules = hostRules(services, hosts, options.sharesHosts, problems);
  return {
    services: services.filter(
      (one) => one.port !== undefined || rules.some(({ service }) => service === one),
    ),
    hosts: rules,
    problems,
    claims: { ports, hosts },
  };
}

function groupedApp(app: BalancedApp, options: RoutingOptions, problems: Problem[]): GroupedApp {
  const appId = app.id;
  const labels = readAppLabels(appId, app.labels, app.ports.length, options);
  const isServed = ({ groups = [], enabled = true }: PortSettings) =>
    enabled &&
    (options.groups.length === 0 ||
      options.groups.some((one) => one === '*' || groups.includes(one)) ||
      groups.includes('*'));
  if (labels.ports.some(isServed)) {
    problems.push(...labels.problems.map(({ label, why }) => ({ appId, text: `label ${label} ${why}` })));
  }
  const services = app.ports.flatMap(({ servicePort, protocol, name, checkProtocol = '' }, i): Service[] => {
    const settings = labels.ports[i] ?? {};
    if (!isServed(settings)) return [];
    if (protocol === 'udp') {
      problems.push({ appId, text: `port ${servicePort} is for UDP, which is not balanced` });
      return [];
    }
    const port = settings.port ?? servicePort;
    const isHttp = settings.hosts !== undefined || /HTTP/.test(checkProtocol);
    const mode = settings.mode ?? (isHttp ? 'http' : 'tcp');
    for (const text of contradictions(settings, mode, i)) problems.push({ appId, text });
    const closedBy = settings.closedBy ?? (settings.auth && mode === 'tcp' ? `HAPROXY_${i}_AUTH` : undefined);
    if (closedBy !== undefined) {
      problems.push({ appId, text: `port ${port} is not served: ${closedBy} can't be applied` });
      return [];
    }
    const refusal = port === 0 ? 'is not assigned' : refusalOf(port, options.reserved);
    if (refusal !== undefined) problems.push({ appId, text: `port ${port} ${refusal}` });
    return [
      {
        backend: backendName(appId, i),
        appId,
        portIndex: i,
        portName: name,
        mode,
        settings,
        port: refusal === undefined ? port : undefined,
        servers: app.tasks.flatMap(({ id, state, addresses }) => {
          const address = state === 'ready' ? parseHostPort(addresses[i] ?? '') : undefined;
          return address ? { taskId: id, ...address } : [];
        }),
      },
    ];
  });
  return { appId, deployment: labels.deployment, services };
}

function refusalOf(port: number, reserved: readonly Range[]): string | undefined {
  if (port < LEAST_PORT) return `is below ${LEAST_PORT}: use a virtual host`;
  const range = reserved.find(({ begin, end }) => begin <= port && port <= end);
  if (!range) return undefined;
  if (range.begin === range.end) return 'belongs to the cluster';
  return `is one of ${range.begin} to ${range.end}, which belong to the cluster`;
}

function* contradictions(settings: PortSettings, mode: 'tcp' | 'http', i: number): Generator<string> {
  const { hosts, paths, redirectsToHttps, auth, sticky, hsts, balance } = settings;
  const label = (name: string) => `label HAPROXY_${i}_${name}`;
  if (!hosts && paths) yield `${label('PATH')} has no effect without HAPROXY_${i}_VHOST`;
  if (!hosts && redirectsToHttps)
    yield `${label('REDIRECT_TO_HTTPS')} has no effect without HAPROXY_${i}_VHOST`;
  if (mode === 'http') return;
  if (hosts) yield `${label('VHOST')} has no effect in the mode tcp`;
  if (auth) yield `${label('AUTH')} has no effect in the mode tcp`;
  if (sticky) yield `${label('STICKY')} has no effect in the mode tcp`;
  if (hsts) yield `${label('USE_HSTS')} has no effect in the mode tcp`;
  if (balance === 'uri') yield `${label('BALANCE')} can't be uri in the mode tcp`;
}

/**
 * Chooses the owner of each port or host: the app that had it before, or else the oldest one that asks for it.
 * @param services the oldest first
 */
function claim(
  services: readonly Service[],
  before: Readonly<Record<string, string>>,
  ownerOf: (service: Service) => string,
  keysOf: (service: Service) => readonly string[],
): Record<string, string> {
  const askers = new Map<string, string[]>();
  for (const service of services) {
    for (const key of keysOf(service)) {
      const known = askers.get(key);
      if (known) known.push(ownerOf(service));
      else askers.set(key, [ownerOf(service)]);
    }
  }
  return Object.fromEntries(
    [...askers].map(([key, [oldest = '', ...others]]) => {
      const owner = Object.hasOwn(before, key) ? before[key] : undefined;
      return [key, owner !== undefined && others.includes(owner) ? owner : oldest];
    }),
  );
}

function hostRules(
  services: readonly Service[],
  owners: Readonly<Record<string, string>>,
  sharesHosts: boolean,
  problems: Problem[],
): HostRule[] {
  const rules = new Map<string, HostRule>();
  const counts = new Map<string, number>();
  for (const service of services) {
    const { appId, mode, settings } = service;
    if (mode !== 'http') continue;
    const { ignoreCase, prefixes } = settings.paths ?? { ignoreCase: false, prefixes: ['/'] };
    const count = (counts.get(appId) ?? 0) + (settings.hosts ?? []).length * prefixes.length;
    if (count > MAX_RULES) {
      problems.push({ appId, text: `has more than ${MAX_RULES} paths of virtual hosts: not all are served` });
      continue;
    }
    counts.set(appId, count);
    for (const host of settings.hosts ?? []) {
      const owner = owners[host] ?? appId;
      if (owner !== appId && !sharesHosts && !areSiblings(owner, appId)) {
        problems.push({ appId, text: `the virtual host ${host} belongs to ${owner}` });
        continue;
      }
      for (const prefix of prefixes) {
        const shown = ignoreCase ? prefix.toLowerCase() : prefix;
        const key = `${host}${shown} ${ignoreCase}`;
        const taken = rules.get(key);
        // The owner of the host comes first, whatever the order of the apps.
        if (taken && !(appId === owner && taken.service.appId !== owner)) {
          problems.push({ appId, text: `${host}${shown} belongs to ${taken.service.appId}` });
          continue;
        }
        if (taken) problems.push({ appId: taken.service.appId, text: `${host}${shown} belongs to ${appId}` });
        rules.set(key, { host, prefix: shown, ignoreCase, service });
      }
    }
  }
  return [...rules.values()];
}

/** True for apps of the same group, except the root group. */
function areSiblings(a: string, b: string): boolean {
  const group = a.slice(0, a.lastIndexOf('/'));
  return group !== '' && group === b.slice(0, b.lastIndexOf('/'));
}
