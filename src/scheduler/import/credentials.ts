/** Reads the credentials for the scheduler's API from files, since arguments are visible in the process list. */

import { existsSync, readFileSync } from 'node:fs';
import { UsageError } from '../../errors/mesosup-error.ts';
import type { Credential } from '../../mesos/http.ts';

export interface CredentialFlags {
  readonly url?: string | undefined;
  readonly 'credentials-file'?: string | undefined;
  readonly 'token-file'?: string | undefined;
}

const HERE = 'http://127.0.0.1:8080';
/** Holds USER:PASSWORD of the scheduler that is installed on this host. */
const INSTALLED = '/etc/mesosup/scheduler/api';

/** @throws UsageError */
export function readAccess(flags: CredentialFlags): { url: string; authorization: string | undefined } {
  const url = flags.url ?? HERE;
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new UsageError(`--url is '${url}': expected a URL such as ${HERE}`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new UsageError(
      '--url contains a password, which would be visible in the process list: use --credentials-file',
    );
  }
  const token = flags['token-file'];
  if (token !== undefined) return { url, authorization: `Bearer ${readFirstLine('token-file', token)}` };
  const installed = flags.url === undefined && existsSync(INSTALLED) ? INSTALLED : undefined;
  const file = flags['credentials-file'] ?? installed;
  if (file === undefined) return { url, authorization: undefined };
  const credentials = readFirstLine('credentials-file', file);
  if (!credentials.includes(':')) throw new UsageError(`${file} must contain USER:PASSWORD`);
  return { url, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** Reads a line PRINCIPAL:SECRET. @throws UsageError */
export function readPrincipal(flag: string, file: string): Credential {
  const [, principal, secret] = /^([^:]+):(.+)$/.exec(readFirstLine(flag, file)) ?? [];
  if (principal !== undefined && secret !== undefined) return { principal, secret };
  throw new UsageError(`--${flag}: ${file} must contain PRINCIPAL:SECRET`);
}

/** @returns the first line that isn't a comment */
function readFirstLine(flag: string, file: string): string {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const line = lines.map((one) => one.trim()).find((one) => one !== '' && !one.startsWith('#'));
    if (line !== undefined) return line;
  } catch (error) {
    throw new UsageError(
      `--${flag} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  throw new UsageError(`--${flag}: ${file} is empty`);
}
