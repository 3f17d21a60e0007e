import { expect, it } from 'vitest';
import { explainClient, explainTls, type FailedTls } from './failure.ts';
import { libprocessTls } from './libprocess.ts';

const now = Date.UTC(2026, 10, 30, 19, 5);
const certificate = {
  subject: 'CN=h1',
  issuer: 'CN=cluster',
  names: ['h1', '10.0.0.1'],
  from: Date.UTC(2026, 0, 1),
  until: Date.UTC(2026, 10, 1, 8),
};
const own = { ...certificate, subject: 'CN=me', file: '/etc/mesosup/tls/scheduler.pem' };

function explain(code: string, more: Partial<FailedTls> = {}): string | undefined {
  const failed = { peer: '10.0.0.1:5050', code, message: 'a message', certificate, now, ...more };
  const failure = explainTls(failed);
  return failure && `${failure.message} → ${failure.remedy}`;
}

it.each<[string, Partial<FailedTls>, string]>([
  [
    'CERT_HAS_EXPIRED',
    {},
    "the certificate of 10.0.0.1:5050 (CN=h1, issued by CN=cluster) expired on 2026-11-01 08:00 UTC; this machine's clock says 2026-11-30 19:05 UTC → Renew it: mesosup certs renew. If the clock is wrong, set it: timedatectl",
  ],
  [
    'CERT_NOT_YET_VALID',
    {},
    "the certificate of 10.0.0.1:5050 (CN=h1, issued by CN=cluster) is not valid yet until 2026-01-01 00:00 UTC; this machine's clock says 2026-11-30 19:05 UTC → Compare the clocks of this machine and of 10.0.0.1: timedatectl",
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    { peer: '[::1]:5050' },
    'the certificate of [::1]:5050 (CN=h1, issued by CN=cluster) is for h1, 10.0.0.1, not for ::1 → Connect to one of these names, or issue a certificate for ::1: mesosup certs renew',
  ],
  [
    'SELF_SIGNED_CERT_IN_CHAIN',
    { caFile: '/etc/mesosup/tls/ca.pem' },
    'the certificate of 10.0.0.1:5050 (CN=h1, issued by CN=cluster) is not signed by a CA in /etc/mesosup/tls/ca.pem → Verify it with the CA of its cluster, which this prints: mesosup certs trust',
  ],
  [
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    { certificate: undefined },
    'the certificate of 10.0.0.1:5050 is not signed by a CA of this system → Verify it with the CA of its cluster, which this prints: mesosup certs trust',
  ],
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    { message: '4053:error:0A00010B:SSL routines:tls_validate:wrong version number:../a.c:78:\n' },
    '10.0.0.1:5050 does not answer with TLS: it takes plain text only, or it is no server of this cluster (wrong version number) → Connect to it without TLS, or turn TLS on for it: mesosup certs enable',
  ],
  [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    {},
    '10.0.0.1:5050 requires a client certificate, and none was sent → Set a certificate of the cluster\'s CA and its key, as "mesosup install" does.',
  ],
  [
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    { own },
    '10.0.0.1:5050 refused the client certificate /etc/mesosup/tls/scheduler.pem (CN=me, issued by CN=cluster), valid from 2026-01-01 00:00 UTC until 2026-11-01 08:00 UTC: the server does not know its CA → Renew it: mesosup certs renew. Compare the clocks of this machine and of 10.0.0.1: timedatectl',
  ],
])('explains %s with host, certificate, date and remedy', (code, more, text) => {
  expect(explain(code, more)).toBe(text);
});

it('explains the other failures of TLS, and no other failure', () => {
  expect(explain('INVALID_PURPOSE')).toMatch(/is not for servers/);
  expect(explain('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')).toMatch(
    /requires a client certificate, and none was sent/,
  );
  expect(
    explain('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', { own: { ...own, file: undefined } as never }),
  ).toMatch(/refused the client certificate \(CN=me/);
  expect(explain('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE')).toMatch(/requires a client certificate/);
  for (const code of ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ERR_SSL_UNSUPPORTED_PROTOCOL'])
    expect(explain(code, { own })).toMatch(/no version or cipher of TLS in common.*: a message/);
  expect(explain('ERR_SSL_DECRYPTION_FAILED')).toMatch(/^TLS with 10\.0\.0\.1:5050 failed: a message/);
  expect(explain('CERT_HAS_EXPIRED', { certificate: undefined })).toMatch(/5050 expired; this machine's/);
  expect(explain('CERT_NOT_YET_VALID', { certificate: undefined })).toMatch(/not valid yet; this/);
  expect(explain('ERR_TLS_CERT_ALTNAME_INVALID', { certificate: undefined })).toMatch(/is for no host/);
  for (const code of ['ECONNREFUSED', 'ENOTFOUND', '']) expect(explain(code)).toBeUndefined();
});

it('tells a client why a server refuses it', () => {
  expect(explainClient(undefined, certificate, now)).toMatch(/is required, and the client sent none$/);
  expect(explainClient('CERT_HAS_EXPIRED', undefined, now)).toMatch(/the client sent none$/);
  expect(explainClient('CERT_HAS_EXPIRED', certificate, now)).toMatch(
    /^the client certificate \(CN=h1, issued by CN=cluster\) expired on 2026-11-01 08:00 UTC; the server's clock says 2026-11-30/,
  );
  expect(explainClient('CERT_NOT_YET_VALID', certificate, now)).toMatch(/valid only from 2026-01-01/);
  expect(explainClient('INVALID_PURPOSE', certificate, now)).toMatch(/is not for clients/);
  expect(explainClient('UNABLE_TO_VERIFY_LEAF_SIGNATURE', certificate, now)).toMatch(/not signed by a CA/);
});

it('reads the variables of Mesos with their meaning', () => {
  const files = {
    LIBPROCESS_SSL_KEY_FILE: '/k',
    LIBPROCESS_SSL_CERT_FILE: '/c',
    LIBPROCESS_SSL_CA_FILE: '/ca',
  };
  const on = { LIBPROCESS_SSL_ENABLED: 'true', ...files };
  const paths = { key: '/k', cert: '/c', ca: '/ca' };
  expect(libprocessTls({})).toBeUndefined();
  expect(libprocessTls({ ...files, LIBPROCESS_SSL_ENABLED: '0' })).toBeUndefined();
  expect(libprocessTls(on)).toEqual({
    client: { ...paths, mode: 'required', verifies: false },
    server: { ...paths, plainToo: false, requiresClients: false },
  });
  expect(libprocessTls({ ...on, LIBPROCESS_SSL_SUPPORT_DOWNGRADE: '1' })).toMatchObject({
    client: { mode: 'preferred' },
    server: { plainToo: true },
  });
  expect(libprocessTls({ ...on, LIBPROCESS_SSL_REQUIRE_CLIENT_CERT: 'true' })).toMatchObject({
    client: { verifies: true },
    server: { requiresClients: true },
  });
  for (const name of ['VERIFY_SERVER_CERT', 'VERIFY_CERT'])
    expect(libprocessTls({ ...on, [`LIBPROCESS_SSL_${name}`]: '1' })?.client.verifies).toBe(true);
  expect(
    libprocessTls({ ...on, LIBPROCESS_SSL_REQUIRE_CERT: '1', LIBPROCESS_SSL_CA_FILE: '' })?.server,
  ).toEqual({
    key: '/k',
    cert: '/c',
    plainToo: false,
    requiresClients: true,
  });
  expect(() => libprocessTls({ ...on, LIBPROCESS_SSL_CERT_FILE: '' })).toThrow(/requires certificate/);
  expect(() => libprocessTls({ LIBPROCESS_SSL_ENABLED: 'true' })).toThrow(
    /Set path with LIBPROCESS_SSL_KEY_FILE/,
  );
  expect(() => libprocessTls({ LIBPROCESS_SSL_ENABLED: 'yes' })).toThrow(/is 'yes': expected true or false/);
});
