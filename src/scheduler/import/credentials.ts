/** Reads the credentials for the scheduler's API from files, since arguments are visible in the process list. */

import { existsSync, readFileSync } from 'node:fs';
import { UsageError } from '../../errors/mesosup-error.ts';
import type { Credential } from '../../mesos/http.ts';

export interface CredentialFlags {
  readonly url?: string | undefined;
  readonly 'credentials-file'?: string | undefined;
  readonly 'token-file'?: string | undefined;
  readonly 'ca-file'?: string | undefined;
}

/** How to reach an API. */
export interface Access {
  readonly url: string;
  readonly authorization: string | undefined;
  /** Certificates in PEM that servers are verified with, and their file. Default: the system's. */
  readonly ca?: { readonly ca: string; readonly caFile: string };
}

const HERE = '127.0.0.1:8080';
/** Of the scheduler that is installed on this host: USER:PASSWORD, the CA, and a file that is there if it has TLS. */
const INSTALLED = {
  api: '/etc/mesosup/scheduler/api',
  ca: '/etc/mesosup/tls/ca.pem',
  tls: '/etc/mesosup/tls/in-use',
};

/** @throws UsageError */
export function readAccess(flags: CredentialFlags): Access {
  const isHere = flags.url === undefined && existsSync(INSTALLED.api);
  const hasTls = isHere && existsSync(INSTALLED.tls);
  const url = flags.url ?? `${hasTls ? 'https' : 'http'}://${HERE}`;
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new UsageError(`--url is '${url}': expected a URL such as http://${HERE}`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new UsageError(
      '--url contains a password, which would be visible in the process list: use --credentials-file',
    );
  }
  const caFile = flags['ca-file'] ?? (hasTls ? INSTALLED.ca : undefined);
  const trust = caFile === undefined ? {} : { ca: { ca: readOwn('ca-file', caFile), caFile } };
  const token = flags['token-file'];
  if (token !== undefined)
    return { url, authorization: `Bearer ${readFirstLine('token-file', token)}`, ...trust };
  const file = flags['credentials-file'] ?? (isHere ? INSTALLED.api : undefined);
  if (file === undefined) return { url, authorization: undefined, ...trust };
  const credentials = readFirstLine('credentials-file', file);
  if (!credentials.includes(':')) throw new UsageError(`${file} must contain USER:PASSWORD`);
  return { url, authorization: `Basic ${Buffer.from(credentials).toString('base64')}`, ...trust };
}

/** Reads a line PRINCIPAL:SECRET. @throws UsageError */
export function readPrincipal(flag: string, file: string): Credential {
  const [, principal, secret] = /^([^:]+):(.+)$/.exec(readFirstLine(flag, file)) ?? [];
  if (principal !== undefined && secret !== undefined) return { principal, secret };
  throw new UsageError(`--${flag}: ${file} must contain PRINCIPAL:SECRET`);
}

/** @returns the first line that isn't a comment */
function readFirstLine(flag: string, file: string): string {
  const lines = readOwn(flag, file).split('\n');
  const line = lines.map((one) => one.trim()).find((one) => one !== '' && !one.startsWith('#'));
  if (line !== undefined) return line;
  throw new UsageError(`--${flag}: ${file} is empty`);
}

function readOwn(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `--${flag} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
