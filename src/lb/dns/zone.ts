/**
 * The DNS names of apps. Source: Mesos-DNS' page "Service Naming", and its rules for labels: small letters, digits and
 * hyphens, `.` and `_` become hyphens, at most 63 characters.
 */

import { ipVersion, parseHostPort } from '../address.ts';
import type { Problem } from '../service.ts';
import { type BalancedApp, type BalancedTask, oldestFirst, type Snapshot } from '../snapshot.ts';

export interface ServiceTarget {
  readonly target: string;
  readonly port: number;
}

/** The records of a name. */
export interface Records {
  /** IPv4 and IPv6 addresses. */
  readonly addresses: ReadonlySet<string>;
  readonly services: readonly ServiceTarget[];
}

export interface Zone {
  /** For example `mesos`. */
  readonly domain: string;
  /** By lower-case name without the final dot. */
  readonly records: ReadonlyMap<string, Records>;
  /** All names that exist, also those that only have names below them. */
  readonly names: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

const MAX_LABEL = 63;
/** The label of a task is that of its app, a hyphen and a hash. */
const HASH_LENGTH = 13;

/**
 * @param domain lower-case, without a final dot
 * @param resolve returns the IP address of a host; undefined if it is unknown
 */
export function buildZone(
  snapshot: Snapshot,
  domain: string,
  resolve: (host: string) => string | undefined,
): Zone {
  const zone = new ZoneBuilder(domain, resolve);
  const owners = new Map<string, string>();
  const problems: Problem[] = [];
  for (const app of oldestFirst(snapshot)) {
    const label = appLabel(app.id);
    const owner = owners.get(label);
    if (label === '')
      problems.push({ appId: app.id, text: 'has no DNS name: its id has no letter or digit' });
    else if (owner !== undefined)
      problems.push({ appId: app.id, text: `the DNS name ${label} belongs to ${owner}` });
    else {
      owners.set(label, app.id);
      for (const task of app.tasks) {
        if (task.state !== 'ready') continue;
        const name = taskLabel(label, task.id);
        // Another app must not get the requests for this task.
        if (!owners.has(name)) owners.set(name, app.id);
        if (owners.get(name) === app.id) zone.add(app, label, name, task);
      }
    }
  }
  return { domain, records: zone.records, names: zone.names, problems };
}

/** The label of `/shop/web` is `web-shop`. @returns '' if no character is left */
export function appLabel(appId: string): string {
  return dnsLabel(appId.split('/').reverse().join('-'));
}

function dnsLabel(text: string): string {
  const label = text
    .toLowerCase()
    .replaceAll(/[._]/g, '-')
    .replaceAll(/[^a-z0-9-]/g, '')
    .replace(/^-+/, '');
  return label.slice(0, MAX_LABEL).replace(/-+$/, '');
}

function taskLabel(label: string, taskId: string): string {
  return `${label.slice(0, MAX_LABEL - HASH_LENGTH - 1)}-${hashOf(taskId)}`;
}

class ZoneBuilder {
  readonly records = new Map<string, { addresses: Set<string>; services: ServiceTarget[] }>();
  readonly names = new Set<string>();
  readonly #domain: string;
  readonly #resolve: (host: string) => string | undefined;

  constructor(domain: string, resolve: (host: string) => string | undefined) {
    this.#domain = domain;
    this.#resolve = resolve;
    this.records.set(domain, { addresses: new Set(), services: [] });
    this.names.add(domain);
  }

  /** @param name the label of the task */
  add({ ports }: BalancedApp, label: string, name: string, { host, addresses }: BalancedTask): void {
    const places = addresses.map((text) => (text === null ? undefined : parseHostPort(text)));
    const own = places.find((place) => place && place.host !== host)?.host;
    const taskHost = own ?? host ?? places.find((place) => place)?.host;
    const zones = { own: `marathon.${this.#domain}`, agent: `marathon.slave.${this.#domain}` };
    for (const first of [label, name]) {
      if (taskHost !== undefined) this.#address(`${first}.${zones.own}`, taskHost);
      if (host !== undefined) this.#address(`${first}.${zones.agent}`, host);
    }
    for (const [i, { protocol, name: portName }] of ports.entries()) {
      const place = places[i];
      if (!place) continue;
      const target = `${name}.${place.host === taskHost ? zones.own : zones.agent}`;
      if (!this.records.get(target)?.addresses.size) continue;
      for (const one of protocol.split(',')) {
        const service = `_${label.slice(0, MAX_LABEL - 1)}._${one === 'udp' ? 'udp' : 'tcp'}.${zones.own}`;
        const named = dnsLabel(portName ?? '');
        for (const key of [
          service,
          ...(named === '' ? [] : [`_${named.slice(0, MAX_LABEL - 1)}.${service}`]),
        ])
          this.#at(key).services.push({ target, port: place.port });
      }
    }
  }

  #address(name: string, host: string): void {
    const address = this.#resolve(host);
    if (address !== undefined && ipVersion(address) !== 0) this.#at(name).addresses.add(address);
  }

  #at(name: string): { addresses: Set<string>; services: ServiceTarget[] } {
    const known = this.records.get(name);
    if (known) return known;
    const records = { addresses: new Set<string>(), services: [] };
    this.records.set(name, records);
    // Each name ends with the domain, which is there from the beginning.
    for (let rest = name; !this.names.has(rest); rest = rest.slice(rest.indexOf('.') + 1))
      this.names.add(rest);
    return records;
  }
}

/** 64 bits of FNV-1a, in base 36: tasks of an app must not have the same name. */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const one of text) {
    hash ^= BigInt(one.codePointAt(0) ?? 0);
    hash = BigInt.asUintN(64, hash * 0x100000001b3n);
  }
  return hash.toString(36).padStart(HASH_LENGTH, '0');
}
