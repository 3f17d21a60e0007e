/** The client of the scheduler for the load balancer's flags. */

import { readFileSync } from 'node:fs';
import { setDefaultCACertificates } from 'node:tls';
import { ApiClient, basicAuthorization, tokenAuthorization } from '../../client/api-client.ts';
import { UsageError } from '../../errors/mesosup-error.ts';
import type { LbOptions } from '../options.ts';

/** @throws UsageError */
export function connectScheduler({ urls, credentialsFile, tokenFile, caFile }: LbOptions): ApiClient {
  if (caFile !== undefined) setDefaultCACertificates([readOwn('ca-file', caFile)]);
  return new ApiClient({ urls, authorization: authorizationOf(credentialsFile, tokenFile) });
}

function authorizationOf(
  credentialsFile: string | undefined,
  tokenFile: string | undefined,
): string | undefined {
  if (tokenFile !== undefined) return tokenAuthorization(firstLine('token-file', tokenFile));
  if (credentialsFile === undefined) return undefined;
  const [, user = '', password = ''] =
    /^([^:]+):(.+)$/.exec(firstLine('credentials-file', credentialsFile)) ?? [];
  if (user === '') throw new UsageError(`${credentialsFile} must contain USER:PASSWORD`);
  return basicAuthorization(user, password);
}

function firstLine(flag: string, file: string): string {
  const lines = readOwn(flag, file).split('\n');
  const line = lines.map((one) => one.trim()).find((one) => one !== '' && !one.startsWith('#'));
  if (line === undefined) throw new UsageError(`--${flag}: ${file} is empty`);
  return line;
}

function readOwn(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--${flag} can't be read: ${(error as Error).message}`);
  }
}
