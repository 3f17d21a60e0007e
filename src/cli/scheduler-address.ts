/** A scheduler that flags name, without a context. */

import { ApiClient } from '../client/api-client.ts';
import { httpSend } from '../context/edge/http-send.ts';
import { type CredentialFlags, readAccess } from '../scheduler/import/credentials.ts';

const CREDENTIALS = 'Set --credentials-file or --token-file.';
const REMEDIES = {
  unreachable: 'Set its address with --url, or choose a cluster with --context.',
  401: CREDENTIALS,
  403: CREDENTIALS,
};

/** True if the flags name a scheduler themselves. */
export function isOwnAddress(flags: CredentialFlags): boolean {
  return [flags.url, flags['credentials-file'], flags['token-file'], flags['ca-file']].some(
    (value) => value !== undefined,
  );
}

/** @throws UsageError */
export function clientOfFlags(flags: CredentialFlags): ApiClient {
  const { url, authorization, ca } = readAccess(flags);
  return new ApiClient({ urls: [url], authorization, fetch: httpSend(ca), remedies: REMEDIES });
}
