/** Sends requests with TLS in tests, with or without a client certificate. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { TlsFiles } from '../../../src/tls/settings.ts';

export interface TlsAnswer {
  readonly status: number;
  readonly text: string;
  /** Of the server's certificate. */
  readonly subject: string | undefined;
}

/** @param body sent by POST, as JSON */
export async function askByTls(
  url: string,
  { ca, cert, key }: TlsFiles,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<TlsAnswer> {
  const outgoing = request(url, {
    agent: false,
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headers, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  const subject = (answer.socket as TLSSocket).getPeerX509Certificate()?.subject;
  let text = '';
  for await (const chunk of answer) text += chunk;
  return { status: answer.statusCode ?? 0, text, subject };
}

/** The variables with which Mesos takes TLS only, and verifies both ends. */
export function mesosTls(
  files: Required<TlsFiles>,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    LIBPROCESS_SSL_ENABLED: 'true',
    LIBPROCESS_SSL_CA_FILE: files.ca,
    LIBPROCESS_SSL_CERT_FILE: files.cert,
    LIBPROCESS_SSL_KEY_FILE: files.key,
    LIBPROCESS_SSL_VERIFY_SERVER_CERT: 'true',
    LIBPROCESS_SSL_REQUIRE_CLIENT_CERT: 'true',
    ...more,
  };
}
