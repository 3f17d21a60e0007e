/**
 * The certificates of a cluster: a certificate authority (CA) of its own, and a certificate for each service of each host.
 * TLS comes in steps, so that services and clients never disagree: with `offer` every port takes TLS besides plain text,
 * with `use` clients use TLS, with `require` ports take no plain text, and services need a certificate to call others. A
 * new CA replaces the old one by the phases of a rotation: all trust both, then all have certificates of the new one, then
 * nobody trusts the old one.
 */

import type { Cluster, ClusterHost } from './cluster.ts';
import { type RotationPhase, TLS_STATES, type TlsFiles, type TlsState } from './secrets.ts';
import { isMonitored } from './topology.ts';

/** Each service of a host has a certificate and a key of its own, since each runs as a user of its own. */
export const TLS_SERVICES = ['master', 'agent', 'scheduler', 'executor', 'lb', 'monitoring'] as const;
export type TlsService = (typeof TLS_SERVICES)[number];

/** A certificate authority of the cluster. */
export interface Authority {
  /** 1 for the first one. */
  readonly generation: number;
  /** In PEM. */
  readonly certificate: string;
  /** The private key, encrypted with a pass phrase: see `edge/seal.ts`. Base64. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface LeafNames {
  readonly host: string;
  readonly service: TlsService;
  /** Host names and IP addresses, sorted. */
  readonly names: readonly string[];
}

/** A certificate of a service. */
export interface Leaf extends LeafNames {
  /** In PEM. */
  readonly certificate: string;
  /** The private key as PKCS 8, in PEM. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Of the authority that signed it. */
  readonly authority: number;
}

/** What is stored in the state of a cluster. */
export interface KeptCertificates {
  readonly state: TlsState;
  /** While the CA is replaced. */
  readonly phase?: RotationPhase;
  /** The older one first; the new one in addition in the phases `accept` and `use`. */
  readonly authorities: readonly Authority[];
  readonly leaves: readonly Leaf[];
}

/** Of a new cluster, for plans only. */
export const NOT_ISSUED = { state: 'require', trusted: '', leaves: {} } as const satisfies TlsFiles;

export const DAY_MS = 86_400_000;
/** Longer validity would make a stolen key useful for longer; a renewal needs no attention. */
export const LEAF_DAYS = 365;
export const AUTHORITY_DAYS = 3650;
/** `install` renews what ends within this time, and `status` warns. */
export const RENEW_DAYS = 30;
/** Of hosts whose clock is behind. */
export const CLOCK_SLACK_MS = 3_600_000;

/** Names by which a host reaches itself. Mesos checks 127.0.0.1 as the name `localhost`. */
const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];

export function servicesOf(cluster: Cluster, host: ClusterHost): TlsService[] {
  const has = (role: ClusterHost['roles'][number]) => host.roles.includes(role);
  const wanted: Readonly<Record<TlsService, boolean>> = {
    master: has('master'),
    agent: has('agent'),
    scheduler: has('scheduler'),
    executor: has('agent'),
    lb: has('lb'),
    monitoring: isMonitored(cluster, host),
  };
  return TLS_SERVICES.filter((service) => wanted[service]);
}

/**
 * Returns what the certificates of a host have to be for.
 * @param found other names and addresses of the host: by which members reach it, and by which it knows itself
 */
export function wantedLeaves(cluster: Cluster, host: ClusterHost, found: readonly string[]): LeafNames[] {
  const { name, address, privateAddress, hostname, connection } = host;
  const all = [
    ...LOCAL_NAMES,
    name,
    ...(connection.kind === 'local' ? [] : [address]),
    ...(privateAddress === undefined ? [] : [privateAddress]),
    ...(hostname === undefined ? [] : [hostname]),
    ...found,
  ];
  const names = [...new Set(all.map((one) => one.toLowerCase()))].toSorted();
  return servicesOf(cluster, host).map((service) => ({ host: name, service, names }));
}

/** Returns the authority that signs new certificates. */
export function signerOf({ authorities, phase }: Pick<KeptCertificates, 'authorities' | 'phase'>): Authority {
  // Nobody may use a certificate of the new one before all trust it.
  const signer = phase === 'accept' ? authorities[0] : authorities.at(-1);
  if (signer === undefined) throw new TypeError('there is no certificate authority');
  return signer;
}

export function leafKey({ host, service }: Pick<LeafNames, 'host' | 'service'>): string {
  return `${host}/${service}`;
}

/**
 * Returns which certificates are to be issued: missing ones, ones without a name, ones that end soon, and ones that another
 * authority signed.
 * @param now milliseconds since 1970
 */
export function dueLeaves(
  kept: Pick<KeptCertificates, 'authorities' | 'phase' | 'leaves'>,
  wanted: readonly LeafNames[],
  now: number,
): LeafNames[] {
  const present = new Map(kept.leaves.map((leaf) => [leafKey(leaf), leaf]));
  const { generation, until } = signerOf(kept);
  return wanted.filter((one) => {
    const leaf = present.get(leafKey(one));
    if (leaf === undefined || leaf.authority !== generation) return true;
    // A new one would not be valid for longer than its authority.
    if (endsSoon(leaf, now) && leaf.until < until) return true;
    return one.names.some((name) => !leaf.names.includes(name));
  });
}

/** @param now milliseconds since 1970 */
export function endsSoon({ until }: { readonly until: number }, now: number): boolean {
  return until - now <= RENEW_DAYS * DAY_MS;
}

/**
 * Returns the certificates with new ones in place of older ones.
 * @param hosts names of the hosts that the cluster still has; certificates of others are left out
 */
export function withLeaves(
  kept: KeptCertificates,
  issued: readonly Leaf[],
  hosts: readonly string[],
): KeptCertificates {
  const all = new Map([...kept.leaves, ...issued].map((leaf) => [leafKey(leaf), leaf]));
  const leaves = [...all]
    .filter(([, { host }]) => hosts.includes(host))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { ...kept, leaves: leaves.map(([, leaf]) => leaf) };
}

/** Begins the replacement of the authority. @throws TypeError if it is being replaced already */
export function beginAuthority(kept: KeptCertificates, fresh: Authority): KeptCertificates {
  if (kept.phase !== undefined) throw new TypeError('the certificate authority is being replaced already');
  return { ...kept, phase: 'accept', authorities: [...kept.authorities, fresh] };
}

/** Returns the certificates of the next phase, or those after the last one. */
export function nextAuthorityPhase(kept: KeptCertificates): KeptCertificates {
  const { phase, ...rest } = kept;
  if (phase === undefined) throw new TypeError('no certificate authority is being replaced');
  if (phase === 'withdraw') return rest;
  if (phase === 'use') return { ...kept, phase: 'withdraw', authorities: kept.authorities.slice(-1) };
  return { ...kept, phase: 'use' };
}

/** Returns what hosts get of it. */
export function tlsFiles({ state, authorities, leaves }: KeptCertificates): TlsFiles {
  return {
    state,
    trusted: authorities.map(({ certificate }) => certificate).join(''),
    leaves: Object.fromEntries(
      leaves.map((leaf) => [leafKey(leaf), { certificate: leaf.certificate, key: leaf.key }]),
    ),
  };
}

/** What happens to the certificates of a running cluster, in the order of the phases. */
export const TLS_EFFECTS: Readonly<Record<TlsState, string>> = {
  offer: 'services take TLS besides plain text',
  use: 'clients use TLS',
  require: 'services take no plain text, and need certificates to call others',
};

export const AUTHORITY_EFFECTS: Readonly<Record<RotationPhase, string>> = {
  accept: 'services trust the new authority besides the old one',
  use: 'services have certificates of the new authority',
  withdraw: 'services no longer trust the old authority',
};

export type CertificatePhase = TlsState | RotationPhase | 'renew';

/** Returns the steps that remain until nothing is in plain text. @param kept with TLS of its first state at least */
export function remainingStates(kept: KeptCertificates): KeptCertificates[] {
  return TLS_STATES.slice(TLS_STATES.indexOf(kept.state)).map((state) => ({ ...kept, state }));
}

/** Returns the phases that remain of the replacement of the authority. */
export function remainingAuthorityPhases(
  kept: KeptCertificates,
): (KeptCertificates & { phase: RotationPhase })[] {
  const found: (KeptCertificates & { phase: RotationPhase })[] = [];
  for (let at = kept; at.phase !== undefined; at = nextAuthorityPhase(at))
    found.push({ ...at, phase: at.phase });
  return found;
}

/**
 * Returns what hosts would get, with texts in place of certificates that are not issued yet, to show where files change.
 * @param renewal distinguishes new certificates of the same authority
 */
export function sketchedFiles(kept: KeptCertificates, wanted: readonly LeafNames[], renewal = ''): TlsFiles {
  const text = `${signerOf(kept).generation}${renewal}`;
  const leaves = wanted.map((one) => [leafKey(one), { certificate: text, key: text }] as const);
  return { ...tlsFiles(kept), leaves: Object.fromEntries(leaves) };
}

/** Returns warnings about what ends within `RENEW_DAYS`, as text for people. @param now milliseconds since 1970 */
export function certificateWarnings(kept: KeptCertificates, now: number): string[] {
  const ends = (until: number) => `${until <= now ? 'ended' : 'ends'} on ${day(until)}`;
  const { until } = signerOf(kept);
  const authority = endsSoon({ until }, now)
    ? [`the certificate authority ${ends(until)}: replace it with mesosup certs rotate-ca`]
    : [];
  const soon = kept.leaves.filter((leaf) => endsSoon(leaf, now));
  const hosts = [...new Set(soon.map(({ host }) => host))];
  return [
    ...authority,
    ...hosts.map((host) => {
      const own = soon.filter((leaf) => leaf.host === host);
      const first = Math.min(...own.map((leaf) => leaf.until));
      const services = own.map(({ service }) => service).join(', ');
      return `${host}: the certificate of ${services} ${ends(first)}: renew it with mesosup install`;
    }),
  ];
}

/** @param time milliseconds since 1970 @returns the day, as 2027-01-31 */
export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
