/**
 * `versions.lock` in the state of a cluster: the packages that its hosts took, with version and SHA-256, by system, so
 * that a host which is added later gets the same. The file is JSON; its names and versions get into scripts for hosts and
 * into apt's preferences, so a file with anything else is refused.
 */

import { isEmpty, isJson, type Json } from '../json.ts';
import type { StoredFile } from '../stored/file.ts';
import { MismatchError } from '../stored/mismatch.ts';

export interface LockedPackage {
  readonly version: string;
  /** Of the package file, hex. */
  readonly sha256: string;
  /** When a host last took it: seconds since 1970, by the host's clock. */
  readonly taken: number;
}

export interface LockedPayload {
  readonly version: string;
  /** Of the archive, hex. */
  readonly sha256: string;
}

export interface VersionsLock {
  /** What mesosup itself installed last; missing if no host has it. */
  readonly payload?: LockedPayload;
  /** By system (`debian-12-amd64`), then by package. */
  readonly systems: ReadonlyMap<string, ReadonlyMap<string, LockedPackage>>;
}

export const EMPTY_LOCK: VersionsLock = { systems: new Map() };

/** A name that apt accepts: see deb-control(5). */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]{0,127}$/;
/** A version: see deb-version(7). */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.+:~-]{0,255}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const SYSTEM = /^[a-z0-9][a-z0-9._-]{0,127}$/;

export function isLockable(name: string, { version, sha256, taken }: LockedPackage): boolean {
  return PACKAGE.test(name) && VERSION.test(version) && DIGEST.test(sha256) && isTime(taken);
}

export function isSystem(text: string): boolean {
  return SYSTEM.test(text);
}

export const lockFile: StoredFile<VersionsLock> = {
  format: 1,
  read: (content) => {
    const { payload, systems } = fields(content, [], ['systems'], ['payload']);
    return {
      ...(payload !== undefined && { payload: readPayload(payload) }),
      systems: mapOf(systems, ['systems'], isSystem, (packages, path) =>
        mapOf(packages, path, (name) => PACKAGE.test(name), readPackage),
      ),
    };
  },
};

/** Returns the content of the file with sorted names, so that few lines change with a package. */
export function storedLock({ payload, systems }: VersionsLock): Json {
  return {
    ...(payload && { payload }),
    systems: sorted(systems, (packages) => sorted(packages, (one) => one)),
  };
}

function sorted<T, S>(all: ReadonlyMap<string, T>, store: (value: T) => S): Record<string, S> {
  const entries = [...all].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, value]) => [name, store(value)]));
}

function readPackage(value: unknown, path: readonly string[]): LockedPackage {
  const { version, sha256, taken } = fields(value, path, ['version', 'sha256', 'taken']);
  return {
    version: text(version, VERSION, [...path, 'version']),
    sha256: text(sha256, DIGEST, [...path, 'sha256']),
    taken: isTime(taken) ? taken : refuse([...path, 'taken']),
  };
}

function readPayload(value: unknown): LockedPayload {
  const { version, sha256 } = fields(value, ['payload'], ['version', 'sha256']);
  return {
    version: text(version, /^[^\s/]+$/, ['payload', 'version']),
    sha256: text(sha256, DIGEST, ['payload', 'sha256']),
  };
}

function mapOf<T>(
  value: unknown,
  path: readonly string[],
  isName: (name: string) => boolean,
  read: (value: unknown, path: readonly string[]) => T,
): Map<string, T> {
  if (!isJson(value)) return refuse(path);
  return new Map(
    Object.entries(value).map(([name, one]) => {
      if (!isName(name)) throw new MismatchError('is not a name that it can have', [...path, name]);
      return [name, read(one, [...path, name])];
    }),
  );
}

/** Refuses unknown fields with a value, since their content would be lost. */
function fields(
  value: unknown,
  path: readonly string[],
  required: readonly string[],
  optional: readonly string[] = [],
): Json {
  if (!isJson(value)) return refuse(path);
  for (const name of required) {
    if (!Object.hasOwn(value, name)) throw new MismatchError('is missing', [...path, name]);
  }
  for (const name of Object.keys(value)) {
    if (![...required, ...optional].includes(name) && !isEmpty(value[name]))
      throw new MismatchError('is unknown', [...path, name]);
  }
  return value;
}

function text(value: unknown, pattern: RegExp, path: readonly string[]): string {
  return typeof value === 'string' && pattern.test(value) ? value : refuse(path);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function refuse(path: readonly string[]): never {
  throw new MismatchError('has an unknown value', [...path]);
}
