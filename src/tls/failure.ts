/**
 * Explains why a connection with TLS failed: which certificate, which host, which date, and what to do. Pure. The codes
 * are those of Node (`X509_V_ERR_…` of OpenSSL without its prefix, and `ERR_SSL_…` for alerts of the other end).
 */

/** What a certificate says. Times in milliseconds since the epoch. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  /** The hosts and addresses it is for. */
  readonly names: readonly string[];
  readonly from: number;
  readonly until: number;
  /** Where it is on this machine. */
  readonly file?: string;
}

export interface FailedTls {
  /** `host:port` of the server. */
  readonly peer: string;
  readonly code: string;
  readonly message: string;
  /** The server's certificate, if it has sent one. */
  readonly certificate?: CertificateFacts | undefined;
  /** The client's own certificate, if it has one. */
  readonly own?: CertificateFacts | undefined;
  /** The file whose certificates verify the server; undefined: those of the system. */
  readonly caFile?: string | undefined;
  /** Milliseconds since the epoch, of this machine's clock. */
  readonly now: number;
}

export interface TlsFailure {
  readonly message: string;
  readonly remedy: string;
}

/** The server's certificate is not signed by any that the client trusts. */
const FOREIGN = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
/** Codes of a certificate that a client refuses: it is not good at the next attempt either. */
export const BAD_CERTIFICATE: readonly string[] = [
  ...FOREIGN,
  ...['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'ERR_TLS_CERT_ALTNAME_INVALID', 'INVALID_PURPOSE'],
];
/** Codes of failures of a handshake: nothing was sent that could have changed anything. */
export const UNSENT_BY_TLS: readonly string[] = [
  ...BAD_CERTIFICATE,
  ...['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
];
/** Answers that are no TLS, and connections that end before any answer. */
const NO_TLS = new Set([
  'ECONNRESET',
  'EPIPE',
  'EPROTO',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'ERR_TLS_HANDSHAKE_TIMEOUT',
  'TLS_TIMEOUT',
]);
/** Alerts of a server that refuses a certificate, in its words. */
const REFUSALS: Readonly<Record<string, string>> = {
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it is invalid',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'it has expired, by the clock of the server',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'it was revoked',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'the server does not accept it',
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 'it is not for clients',
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: 'the server does not accept it',
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: 'the server knows another CA of the same name',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the server does not know its CA',
};

/** @returns undefined if the error has nothing to do with TLS */
export function explainTls(failed: FailedTls): TlsFailure | undefined {
  const { code, peer, own } = failed;
  const certificate = failed.certificate ? describe(failed.certificate) : '';
  const its = `the certificate of ${peer}${certificate}`;
  if (code === 'CERT_HAS_EXPIRED') return expired(its, failed);
  if (code === 'CERT_NOT_YET_VALID') return notYetValid(its, failed);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return otherName(its, failed);
  if (FOREIGN.has(code)) return foreign(its, failed);
  if (code === 'INVALID_PURPOSE')
    return { message: `${its} is not for servers`, remedy: 'Issue it again: mesosup certs renew' };
  if (code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED') return missing(failed);
  const refusal = REFUSALS[code];
  if (refusal !== undefined) return own ? refused(own, refusal, failed) : missing(failed);
  if (code === 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE') return own ? incompatible(failed) : missing(failed);
  if (/^ERR_SSL_.*(PROTOCOL|VERSION|CIPHER)/.test(code) && !NO_TLS.has(code)) return incompatible(failed);
  if (NO_TLS.has(code)) return noTls(failed);
  if (/^ERR_(SSL|TLS|OSSL)_/.test(code))
    return { message: `TLS with ${peer} failed: ${reasonIn(failed.message)}`, remedy: CHECK_SETTINGS };
  return undefined;
}

/** @returns OpenSSL's reason without its numbers and source files; any other text as it is */
function reasonIn(message: string): string {
  return /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/.exec(message)?.[1] ?? message;
}

const CHECK_SETTINGS = 'Check the TLS settings of both ends.';

/** Says why a server refuses a client by its certificate, in the answer to the client. @param code undefined: it sent none */
export function explainClient(
  code: string | undefined,
  certificate: CertificateFacts | undefined,
  now: number,
): string {
  if (code === undefined || certificate === undefined)
    return "a client certificate of the cluster's CA is required, and the client sent none";
  const its = `the client certificate${describe(certificate)}`;
  if (code === 'CERT_HAS_EXPIRED')
    return `${its} expired on ${date(certificate.until)}; the server's clock says ${date(now)}. Renew it: mesosup certs renew`;
  if (code === 'CERT_NOT_YET_VALID')
    return `${its} is valid only from ${date(certificate.from)}; the server's clock says ${date(now)}. Compare the clocks of both hosts: timedatectl`;
  if (code === 'INVALID_PURPOSE') return `${its} is not for clients. Issue it again: mesosup certs renew`;
  return `${its} is not signed by a CA that the server trusts. Use a certificate of the cluster: mesosup certs show`;
}

function expired(its: string, { certificate, now }: FailedTls): TlsFailure {
  const until = certificate ? ` on ${date(certificate.until)}` : '';
  return {
    message: `${its} expired${until}; this machine's clock says ${date(now)}`,
    remedy: 'Renew it: mesosup certs renew. If the clock is wrong, set it: timedatectl',
  };
}

function notYetValid(its: string, { certificate, peer, now }: FailedTls): TlsFailure {
  const from = certificate ? ` until ${date(certificate.from)}` : '';
  return {
    message: `${its} is not valid yet${from}; this machine's clock says ${date(now)}`,
    remedy: `Compare the clocks of this machine and of ${hostOf(peer)}: timedatectl`,
  };
}

function otherName(its: string, { certificate, peer }: FailedTls): TlsFailure {
  const names = certificate?.names.length ? certificate.names.join(', ') : 'no host';
  return {
    message: `${its} is for ${names}, not for ${hostOf(peer)}`,
    remedy: `Connect to one of these names, or issue a certificate for ${hostOf(peer)}: mesosup certs renew`,
  };
}

function foreign(its: string, { caFile }: FailedTls): TlsFailure {
  const by = caFile === undefined ? 'a CA of this system' : `a CA in ${caFile}`;
  return {
    message: `${its} is not signed by ${by}`,
    remedy: 'Verify it with the CA of its cluster, which this prints: mesosup certs trust',
  };
}

function missing({ peer, own }: FailedTls): TlsFailure {
  if (own) return refused(own, 'the server does not accept it', { peer });
  return {
    message: `${peer} requires a client certificate, and none was sent`,
    remedy: 'Set a certificate of the cluster\'s CA and its key, as "mesosup install" does.',
  };
}

function refused(own: CertificateFacts, why: string, { peer }: Pick<FailedTls, 'peer'>): TlsFailure {
  const where = own.file === undefined ? '' : ` ${own.file}`;
  return {
    message: `${peer} refused the client certificate${where}${describe(own)}, valid from ${date(own.from)} until ${date(own.until)}: ${why}`,
    remedy: `Renew it: mesosup certs renew. Compare the clocks of this machine and of ${hostOf(peer)}: timedatectl`,
  };
}

function incompatible({ peer, message }: FailedTls): TlsFailure {
  return {
    message: `${peer} and this program have no version or cipher of TLS in common, or it requires a client certificate: ${reasonIn(message)}`,
    remedy: CHECK_SETTINGS,
  };
}

function noTls({ peer, message }: FailedTls): TlsFailure {
  return {
    message: `${peer} does not answer with TLS: it takes plain text only, or it is no server of this cluster (${reasonIn(message)})`,
    remedy: `Connect to it without TLS, or turn TLS on for it: mesosup certs enable`,
  };
}

/** @returns ` (CN=h1, issued by CN=ca)` */
function describe({ subject, issuer }: CertificateFacts): string {
  return ` (${subject}, issued by ${issuer})`;
}

function hostOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** @returns for example `2026-11-30 19:05 UTC` */
function date(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
