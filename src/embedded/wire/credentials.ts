/** Reads credentials files, only as JSON like current Mesos. Messages never repeat the content of a file. */

import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../mesos/http.ts';
import { FlagError } from './flags.ts';

/** Secrets by principal. */
export type Credentials = ReadonlyMap<string, string>;

export interface Credential {
  principal: string;
  secret: string;
}

/**
 * `{"credentials":[{"principal":"…","secret":"…"}]}`
 * @param flag the flag that names the file, for messages
 * @throws FlagError
 */
export function readCredentials(path: string, flag: string, log: (line: string) => void): Credentials {
  const value = readJson(path, flag, log);
  const list = typeof value === 'object' && value !== null && 'credentials' in value && value.credentials;
  if (!Array.isArray(list)) {
    throw new FlagError(
      `Failed to parse credentials in '${path}': it contains no list "credentials" (see --${flag} flag)`,
    );
  }
  if (list.length === 0) {
    throw new FlagError(`Credentials file must contain at least one credential (see --${flag} flag)`);
  }
  return new Map(
    list.map((entry) => {
      const { principal, secret } = credentialOf(entry, path, flag);
      return [principal, secret];
    }),
  );
}

/** `{"principal":"…","secret":"…"}`. @throws FlagError */
export function readCredential(path: string, flag: string, log: (line: string) => void): Credential {
  return credentialOf(readJson(path, flag, log), path, flag);
}

/** Reads a key: all bytes of the file. @throws FlagError */
export function readKey(path: string, flag: string, log: (line: string) => void): Buffer {
  warnIfOpen(path, log);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new FlagError(`Failed to read the file specified by --${flag}: ${messageOf(error)}`);
  }
}

function credentialOf(value: unknown, path: string, flag: string): Credential {
  const { principal, secret = '' } = (value ?? {}) as { principal?: unknown; secret?: unknown };
  if (typeof principal !== 'string' || typeof secret !== 'string') {
    throw new FlagError(
      `Failed to parse '${path}': expected {"principal":"…","secret":"…"} (see --${flag} flag)`,
    );
  }
  return { principal, secret };
}

function readJson(path: string, flag: string, log: (line: string) => void): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new FlagError(
      `Failed to read credentials file '${path}': ${messageOf(error)} (see --${flag} flag)`,
    );
  }
  if (text === '') throw new FlagError(`Empty credential file '${path}' (see --${flag} flag)`);
  warnIfOpen(path, log);
  try {
    return JSON.parse(text);
  } catch {
    throw new FlagError(`Invalid json format in '${path}': it is not JSON (see --${flag} flag)`);
  }
}

function warnIfOpen(path: string, log: (line: string) => void): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o007) !== 0) {
    log(
      `Permissions on '${path}' are too open: it holds secrets and can be reached by others; use mode 0600`,
    );
  }
}
