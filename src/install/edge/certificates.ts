/** Reads certificates of PEM files. */

import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../doctor/examination.ts';

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * Returns the certificates in a text. Damaged ones are left out.
 * @param authorities in PEM; undefined if the cluster has none
 */
export function readCertificates(pem: string, authorities?: string): Certificate[] {
  const signers = authorities === undefined ? undefined : parse(authorities);
  return parse(pem).map((one) => ({
    subject: nameIn(one.subject),
    issuer: nameIn(one.issuer),
    begins: one.validFromDate.getTime(),
    expires: one.validToDate.getTime(),
    names: [...(one.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map(
      ([, name = '']) => name,
    ),
    ...(signers && { isTrusted: signers.some((signer) => isSigner(signer, one)) }),
  }));
}

function parse(pem: string): X509Certificate[] {
  return [...pem.matchAll(PEM)].flatMap(([text]) => {
    try {
      return [new X509Certificate(text)];
    } catch {
      return [];
    }
  });
}

function isSigner(signer: X509Certificate, one: X509Certificate): boolean {
  return one.checkIssued(signer) && one.verify(signer.publicKey);
}

function nameIn(attributes: string): string {
  return /^CN=(.+)$/m.exec(attributes)?.[1] ?? attributes.replaceAll('\n', ', ');
}
