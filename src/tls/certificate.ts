/** What a certificate says. */

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { CertificateFacts } from './failure.ts';

/** @returns what returns the server's certificate, also when it was refused: an error ends the connection at once */
export function watchCertificate(socket: TLSSocket): () => CertificateFacts | undefined {
  let facts: CertificateFacts | undefined;
  // The event comes before Node checks the certificate.
  socket.prependListener('secure', () => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate) facts = factsOf(certificate);
  });
  return () => facts;
}

/** @returns the facts for an explanation */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: (certificate.subjectAltName ?? '')
      .split(', ')
      .map((name) => name.replace(/^(DNS|IP Address):/, ''))
      .filter((name) => name !== ''),
    from: Date.parse(certificate.validFrom),
    until: Date.parse(certificate.validTo),
  };
}

/** @param name one attribute on each line; what others wrote into a certificate */
function oneLine(name: string | undefined): string {
  return (name || 'no name').replaceAll('\n', ', ').replaceAll(/\p{C}/gu, '?').slice(0, 200);
}
