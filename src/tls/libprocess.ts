/**
 * Reads the `LIBPROCESS_SSL_…` variables of Mesos' programs. Pure. Source: libprocess, openssl.cpp. Variables that choose
 * ciphers, curves and versions have no effect: Node's defaults are newer than those of Mesos.
 */

import { UsageError } from '../errors/mesosup-error.ts';
import type { ClientTls, ServerTls } from './settings.ts';

export interface LibprocessTls {
  readonly client: ClientTls;
  readonly server: ServerTls;
}

const PREFIX = 'LIBPROCESS_SSL_';

/** @returns undefined if TLS is off @throws UsageError */
export function libprocessTls(env: Readonly<Record<string, string | undefined>>): LibprocessTls | undefined {
  const isOn = (name: string): boolean => {
    const value = env[`${PREFIX}${name}`];
    if (value === undefined) return false;
    if (/^(true|1)$/.test(value)) return true;
    if (/^(false|0)$/.test(value)) return false;
    throw new UsageError(`${PREFIX}${name} is '${value}': expected true or false`);
  };
  const file = (name: string, what: string): string => {
    const value = env[`${PREFIX}${name}`];
    if (value) return value;
    throw new UsageError(`SSL requires ${what}! NOTE: Set path with ${PREFIX}${name}`);
  };
  if (!isOn('ENABLED')) return undefined;
  const key = file('KEY_FILE', 'key');
  const cert = file('CERT_FILE', 'certificate');
  const ca = env[`${PREFIX}CA_FILE`];
  const files = { key, cert, ...(ca !== undefined && ca !== '' && { ca }) };
  const plainToo = isOn('SUPPORT_DOWNGRADE');
  const requiresClients = isOn('REQUIRE_CLIENT_CERT') || isOn('REQUIRE_CERT');
  return {
    // As in libprocess, the demand for client certificates includes the verification of servers.
    client: {
      ...files,
      mode: plainToo ? 'preferred' : 'required',
      verifies: requiresClients || isOn('VERIFY_SERVER_CERT') || isOn('VERIFY_CERT'),
    },
    server: { ...files, plainToo, requiresClients },
  };
}
