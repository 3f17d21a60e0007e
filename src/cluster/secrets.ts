/** The cluster's secrets, and the marks that replace them in texts for people and files. */

/** Each secret authenticates one kind of client. These are stored. */
export const STORED_SECRET_NAMES = [
  'agent', // agents to the master: principal `mesos-agent`
  'scheduler', // the framework to the master: principal `mesosup`
  'operator', // people and this program to masters' and agents' HTTP endpoints: principal `operator`
  'executor-key', // agents sign the tokens of their executors with it
  'zookeeper-mesos', // user `mesos` of ZooKeeper: the masters' znodes
  'zookeeper-scheduler', // user `mesosup` of ZooKeeper: the scheduler's znodes
  'api', // people to the scheduler's API: user `mesosup`
] as const;

/**
 * Secrets that are made of another one, so that clusters of earlier releases have them, too. Who has such a secret can't
 * find out the other one.
 */
export const DERIVED_SECRETS = {
  files: 'scheduler', // the scheduler to agents' files API: principal `mesosup-files`
  monitoring: 'operator', // the exporter to masters and agents: principal `mesosup-monitoring`
  metrics: 'api', // Prometheus to the scheduler's API: user `mesosup-monitoring`
  lb: 'api', // the load balancer to the scheduler's API: user `mesosup-lb`
} as const satisfies Record<string, StoredSecretName>;

export type StoredSecretName = (typeof STORED_SECRET_NAMES)[number];
export type SecretName = StoredSecretName | keyof typeof DERIVED_SECRETS;
export const SECRET_NAMES = [
  ...STORED_SECRET_NAMES,
  ...(Object.keys(DERIVED_SECRETS) as (keyof typeof DERIVED_SECRETS)[]),
] as const;

/**
 * Secrets of a cluster that others installed, by principal or user (`mesosup adopt`). `master`: at the masters;
 * `agent-http`: at the agents' HTTP endpoints; `agent`: the one principal with which the agents authenticate;
 * `zookeeper`: the one user of the masters in ZooKeeper.
 */
export type ImportedName = `${ImportedKind}/${string}`;
export type ImportedKind = 'master' | 'agent-http' | 'agent' | 'zookeeper';
export type ImportedSecrets = { readonly [name: ImportedName]: string };

/**
 * The secrets that clients use. Own values are base64url, so they need no escaping in JSON, URLs or configuration files;
 * see also `isImportable`.
 */
export type Secrets = Readonly<Record<SecretName, string>> &
  ImportedSecrets & {
    /** Missing as long as no secret was rotated. */
    readonly rotated?: RotatedSecrets;
    /** Missing in a cluster without TLS. */
    readonly tls?: TlsFiles;
  };
export type StoredSecrets = Readonly<Record<StoredSecretName, string>> & ImportedSecrets;

/** What the rotation of secrets adds to them: see `rotation.ts`. */
export interface RotatedSecrets {
  /** Numbers of the secrets that clients use, if they are not the first ones. */
  readonly generations: Readonly<Partial<Record<StoredSecretName, number>>>;
  /** While secrets are rotated. */
  readonly phase?: RotationPhase;
  /** The new secrets in the phase `accept`, the old ones in the others. */
  readonly others: Readonly<Partial<Record<SecretName, string>>>;
}

/**
 * `offer`: ports take TLS besides plain text. `use`: clients use TLS. `require`: ports take no plain text, and services
 * need a certificate to call others.
 */
export const TLS_STATES = ['offer', 'use', 'require'] as const;
export type TlsState = (typeof TLS_STATES)[number];

/** What services need for TLS: see `certificates.ts`. */
export interface TlsFiles {
  readonly state: TlsState;
  /** Certificates of the authorities that services trust, in PEM. */
  readonly trusted: string;
  /** By host and service, as `HOST/SERVICE`. */
  readonly leaves: Readonly<Record<string, { readonly certificate: string; readonly key: string }>>;
}

/**
 * `accept`: services accept the new secret besides the old one. `use`: clients use the new one. `withdraw`: services no
 * longer accept the old one.
 */
export const ROTATION_PHASES = ['accept', 'use', 'withdraw'] as const;
export type RotationPhase = (typeof ROTATION_PHASES)[number];

const IMPORTED = /^(?:master|agent-http|agent|zookeeper)\/[^"\\⟧\p{Cc}]+$/u;

export function isImportedName(name: string): name is ImportedName {
  return IMPORTED.test(name);
}

/** True of a secret that needs no escaping in JSON. */
export function isImportable(secret: string): boolean {
  return /^[^"\\⟦\p{Cc}]+$/u.test(secret);
}

/** Returns the names of the imported secrets of a kind, with their principals, sorted. */
export function importedOf(secrets: Secrets, kind: ImportedKind) {
  return Object.keys(secrets)
    .filter(isImportedName)
    .filter((name) => name.startsWith(`${kind}/`))
    .toSorted()
    .map((name) => ({ principal: name.slice(kind.length + 1), secret: secretMark(name) }));
}

/**
 * Text in which secrets stand as marks (`secretMark`), so that a plan can be shown and saved. They are put in only for
 * a file's digest and in the script for the host.
 */
export type MarkedText = string;

const MARK = /⟦secret:([^⟧]+)⟧/g;
/** No name of a secret begins with it. */
const OTHER = 'other:';
const TLS = 'tls:';

/** Returns the mark that represents a secret in a text. */
export function secretMark(name: SecretName | ImportedName): string {
  return `⟦secret:${name}⟧`;
}

/** Returns the mark of the other secret while this one is rotated. */
export function otherMark(name: SecretName): string {
  return `⟦secret:${OTHER}${name}⟧`;
}

/** Returns the mark of a part of the files for TLS; certificates and keys are named by `HOST/SERVICE`. */
export function tlsMark(part: 'trusted' | `certificate/${string}` | `key/${string}`): string {
  return `⟦secret:${TLS}${part}⟧`;
}

/** Returns all values, also those of `rotated`. Of a key each line, since others may break or indent lines. */
export function secretValues({ rotated, tls, ...values }: Secrets): string[] {
  const keys = Object.values(tls?.leaves ?? {}).flatMap(({ key }) => keyLines(key));
  return [...Object.values(values), ...Object.values(rotated?.others ?? {}), ...keys];
}

/** Returns the lines of a private key of P-256 in PEM that have parts of it. The third one is of the public key alone. */
export function keyLines(key: string): string[] {
  return key.split('\n').slice(1, 3);
}

export function hasSecret(text: string): boolean {
  return text.search(MARK) >= 0;
}

/** Replaces each mark by its secret. @throws TypeError for a mark with an unknown name */
export function reveal(text: string, secrets: Secrets): string {
  const { rotated, tls, ...current } = secrets;
  const values = new Map(Object.entries(current));
  for (const [name, value] of Object.entries(rotated?.others ?? {})) values.set(`${OTHER}${name}`, value);
  return text.replace(MARK, (_mark, name: string) => {
    const value = name.startsWith(TLS) ? tlsPart(name.slice(TLS.length), tls) : values.get(name);
    if (value === undefined) throw new TypeError(`there is no secret "${name}"`);
    return value;
  });
}

/** A plan without changes yet has certificates that are not issued: no file of a host is the same as their text. */
function tlsPart(part: string, tls: TlsFiles | undefined): string {
  if (part === 'trusted') return tls?.trusted ?? '';
  const [kind, ...leaf] = part.split('/');
  const found = tls?.leaves[leaf.join('/')];
  return (kind === 'key' ? found?.key : found?.certificate) ?? '';
}

/** Replaces each mark by dots, for people. */
export function conceal(text: string): string {
  return text.replace(MARK, '••••••••');
}

/** @param random returns the requested number of random bytes */
export function generateSecret(random: (bytes: number) => Uint8Array): string {
  return Buffer.from(random(32)).toString('base64url');
}

/** Makes new secrets. @param random returns the requested number of random bytes */
export function generateSecrets(random: (bytes: number) => Uint8Array): Secrets {
  const entries = SECRET_NAMES.map((name) => [name, generateSecret(random)] as const);
  return Object.fromEntries(entries) as Record<SecretName, string>;
}

/** @returns the secrets to store */
export function withoutDerived(secrets: Secrets): StoredSecrets {
  const names = [...STORED_SECRET_NAMES, ...Object.keys(secrets).filter(isImportedName)];
  const entries = names.map((name) => [name, secrets[name]] as const);
  return Object.fromEntries(entries) as Record<StoredSecretName, string>;
}

/** Adds the derived secrets. @param hmac returns the SHA-256 HMAC of a text, as base64url */
export function withDerived(stored: StoredSecrets, hmac: (key: string, text: string) => string): Secrets {
  const derived = Object.entries(DERIVED_SECRETS).map(([name, from]) => [name, hmac(stored[from], name)]);
  return { ...stored, ...(Object.fromEntries(derived) as Record<keyof typeof DERIVED_SECRETS, string>) };
}
