/**
 * `secrets.json`: the secrets by name, and what their rotation adds. Read without a schema, since loading one is slow.
 * Releases without the rotation ignore what it adds; unknown names belong to another release.
 */

import { isJson } from '../json.ts';
import type { StoredFile } from '../stored/file.ts';
import type { KeptSecrets } from './rotation.ts';
import {
  isImportable,
  isImportedName,
  ROTATION_PHASES,
  STORED_SECRET_NAMES,
  type StoredSecretName,
  type StoredSecrets,
} from './secrets.ts';

export const secretsFile: StoredFile<KeptSecrets | undefined> = {
  format: 1,
  read: (found) => {
    const values = named(found, isSecret);
    if (STORED_SECRET_NAMES.some((name) => values[name] === undefined)) return undefined;
    const imported = Object.entries(found).filter(
      ([name, value]) => isImportedName(name) && typeof value === 'string' && isImportable(value),
    );
    const { rotation } = found;
    const kept: KeptSecrets = {
      values: { ...values, ...Object.fromEntries(imported) } as StoredSecrets,
      generations: named(found.generations, isNumber),
      since: named(found.since, isNumber),
    };
    if (rotation === undefined) return kept;
    const phase = isJson(rotation) && ROTATION_PHASES.find((one) => one === rotation.phase);
    const others = isJson(rotation) ? named(rotation.others, isSecret) : {};
    return phase && Object.keys(others).length > 0 ? { ...kept, rotation: { phase, others } } : undefined;
  },
};

/** @returns the content of the file */
export function encodeSecrets({ values, ...more }: KeptSecrets): object {
  return { ...values, ...more };
}

/** Returns the entries of secrets' names whose values are of this kind. */
function named<T>(found: unknown, is: (value: unknown) => value is T): Partial<Record<StoredSecretName, T>> {
  if (!isJson(found)) return {};
  const entries = STORED_SECRET_NAMES.flatMap((name) => {
    const value = found[name];
    return is(value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries) as Partial<Record<StoredSecretName, T>>;
}

function isSecret(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{20,}$/.test(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
