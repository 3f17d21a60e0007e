/**
 * The rotation of secrets without an outage. Mesos has one secret for each principal (`secrets::load` in cram_md5/auxprop
 * and `BasicAuthenticatorFactory` keep the last one), so the new secret of a client comes with a new principal, which
 * masters and agents accept besides the old one for a while. The principal of a framework can't change
 * (`validation::framework::validateUpdate`): there the scheduler tries both secrets. The scheduler's API accepts two
 * passwords of one user. An agent has one key for the tokens of executors; executors sign theirs again (renew-token.ts).
 */

import {
  DERIVED_SECRETS,
  otherMark,
  type RotationPhase,
  type SecretName,
  type Secrets,
  STORED_SECRET_NAMES,
  type StoredSecretName,
  type StoredSecrets,
  secretMark,
  withDerived,
} from './secrets.ts';

/** The secrets of a cluster as they are stored. */
export interface KeptSecrets {
  /** The secrets that clients use. */
  readonly values: StoredSecrets;
  /** Numbers of the values, if they are not the first ones. */
  readonly generations: Readonly<Partial<Record<StoredSecretName, number>>>;
  /** When the values were made, if it is known: milliseconds since the epoch. */
  readonly since: Readonly<Partial<Record<StoredSecretName, number>>>;
  readonly rotation?: {
    readonly phase: RotationPhase;
    /** The new secrets in the phase `accept`, the old ones in the others. */
    readonly others: Readonly<Partial<Record<StoredSecretName, string>>>;
  };
}

type Rotated = Pick<Secrets, 'rotated'>;

/** A secret of a kind of client, as a service or a client has it in a file. */
export type MarkedCredential = {
  readonly principal: string;
  /** A mark. */
  readonly secret: string;
};

/** Reasons against the rotation of a secret without an outage. Secrets that can be rotated are missing. */
export const NOT_ROTATED: Readonly<Partial<Record<StoredSecretName, string>>> = {
  'zookeeper-mesos':
    'the znodes of the masters belong to it, and their permissions would have to change first',
  'zookeeper-scheduler':
    'the znodes of the schedulers belong to it, and their permissions would have to change first',
};

/** The secrets that can be rotated. */
export const ROTATABLE = STORED_SECRET_NAMES.filter((name) => NOT_ROTATED[name] === undefined);

/** @param fresh new values, by name @throws TypeError if secrets are being rotated already */
export function beginRotation(
  kept: KeptSecrets,
  fresh: Readonly<Partial<Record<StoredSecretName, string>>>,
): KeptSecrets {
  if (kept.rotation) throw new TypeError('secrets are being rotated already');
  return { ...kept, rotation: { phase: 'accept', others: fresh } };
}

/** Returns the secrets of the next phase, or those after the last one. @param now milliseconds since the epoch */
export function nextPhase(kept: KeptSecrets, now: number): KeptSecrets {
  const { rotation, ...rest } = kept;
  if (rotation === undefined) throw new TypeError('no secrets are being rotated');
  const { phase, others } = rotation;
  if (phase === 'withdraw') return rest;
  if (phase === 'use') return { ...kept, rotation: { phase: 'withdraw', others } };
  const names = namesIn(others);
  const each = <T>(value: (name: StoredSecretName) => T) =>
    Object.fromEntries(names.map((name) => [name, value(name)])) as Partial<Record<StoredSecretName, T>>;
  return {
    values: { ...kept.values, ...others },
    generations: { ...kept.generations, ...each((name) => (kept.generations[name] ?? 1) + 1) },
    since: { ...kept.since, ...each(() => now) },
    rotation: { phase: 'use', others: each((name) => kept.values[name]) },
  };
}

/** Returns the phases that remain, and for each the secrets during it. @param now milliseconds since the epoch */
export function remainingPhases(
  kept: KeptSecrets,
  now: number,
): { readonly phase: RotationPhase; readonly kept: KeptSecrets }[] {
  const found: { readonly phase: RotationPhase; readonly kept: KeptSecrets }[] = [];
  for (let at = kept; at.rotation; at = nextPhase(at, now))
    found.push({ phase: at.rotation.phase, kept: at });
  return found;
}

export function namesIn(values: Readonly<Partial<Record<StoredSecretName, unknown>>>): StoredSecretName[] {
  return STORED_SECRET_NAMES.filter((name) => values[name] !== undefined);
}

/** Adds the derived secrets. @param hmac returns the SHA-256 HMAC of a text, as base64url */
export function secretsFrom(kept: KeptSecrets, hmac: (key: string, text: string) => string): Secrets {
  const { values, generations, rotation } = kept;
  const all = withDerived(values, hmac);
  if (!rotation && namesIn(generations).length === 0) return all;
  const others = rotation?.others ?? {};
  const derived = Object.entries(DERIVED_SECRETS).flatMap(([name, from]) => {
    const key = others[from];
    return key === undefined ? [] : [[name, hmac(key, name)] as const];
  });
  return {
    ...all,
    rotated: {
      generations,
      ...(rotation && { phase: rotation.phase }),
      others: { ...others, ...Object.fromEntries(derived) },
    },
  };
}

/** Returns what clients use. @param base the first principal */
export function usedCredential(base: string, name: SecretName, secrets: Rotated): MarkedCredential {
  return { principal: principal(base, generationOf(name, secrets)), secret: secretMark(name) };
}

/** Returns what services accept, the older one first. @param base the first principal */
export function acceptedCredentials(base: string, name: SecretName, secrets: Rotated): MarkedCredential[] {
  const used = { generation: generationOf(name, secrets), secret: secretMark(name) };
  const phase = secrets.rotated?.phase;
  const isRotated =
    phase !== undefined && phase !== 'withdraw' && secrets.rotated?.others[name] !== undefined;
  const other = { generation: used.generation + (phase === 'accept' ? 1 : -1), secret: otherMark(name) };
  return (isRotated ? [used, other] : [used])
    .toSorted((a, b) => a.generation - b.generation)
    .map(({ generation, secret }) => ({ principal: principal(base, generation), secret }));
}

/** Returns the marks of the secrets that services accept, the older one first, where the name stays. */
export function acceptedMarks(name: SecretName, secrets: Rotated): string[] {
  return acceptedCredentials('', name, secrets).map(({ secret }) => secret);
}

/** Returns the names of all principals of `acceptedCredentials`. */
export function acceptedPrincipals(base: string, name: SecretName, secrets: Rotated): string[] {
  return acceptedCredentials(base, name, secrets).map((one) => one.principal);
}

function principal(base: string, generation: number): string {
  return generation === 1 ? base : `${base}-${generation}`;
}

function generationOf(name: SecretName, { rotated }: Rotated): number {
  const stored = Object.hasOwn(DERIVED_SECRETS, name)
    ? DERIVED_SECRETS[name as keyof typeof DERIVED_SECRETS]
    : (name as StoredSecretName);
  return rotated?.generations[stored] ?? 1;
}
