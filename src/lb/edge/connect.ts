/** The client of the scheduler for the load balancer's flags. */

import { readFileSync } from 'node:fs';
import { ApiClient, basicAuthorization, tokenAuthorization } from '../../client/api-client.ts';
import { httpSend } from '../../context/edge/http-send.ts';
import { UsageError } from '../../errors/mesosup-error.ts';
import { createTransport } from '../../tls/connect.ts';
import { tlsForUrl } from '../../tls/settings.ts';
import type { LbOptions } from '../options.ts';

/** @param warn called if plain text is used where TLS was tried, and if a changed certificate can't be used */
export function connectScheduler(options: LbOptions, warn: (message: string) => void): ApiClient {
  const { urls, credentialsFile, tokenFile, tls } = options;
  if (tls.ca !== undefined) readOwn('ca-file', tls.ca);
  const transport = ({ protocol }: URL) => createTransport(tlsForUrl({ protocol }, tls), { onProblem: warn });
  const fetch = httpSend({ transport });
  return new ApiClient({ urls, authorization: authorizationOf(credentialsFile, tokenFile), fetch });
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
