/** Reads certificates of PEM files. */

import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../doctor/examination.ts';

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Returns the certificates in a text. Damaged ones are left out. */
export function readCertificates(pem: string): Certificate[] {
  return [...pem.matchAll(PEM)].flatMap(([text]) => {
    try {
      const { subject, validToDate } = new X509Certificate(text);
      const name = /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');
      return [{ subject: name, expires: validToDate.getTime() }];
    } catch {
      return [];
    }
  });
}
