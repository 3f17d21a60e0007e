/** Makes certificate authorities, and certificates that they sign: ECDSA with P-256 and SHA-256. */

// The library's dependencies need it before they are loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import {
  AUTHORITY_DAYS,
  type Authority,
  CLOCK_SLACK_MS,
  DAY_MS,
  LEAF_DAYS,
  type Leaf,
  type LeafNames,
} from '../certificates.ts';
import { seal, unseal } from './seal.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * Makes a certificate authority.
 * @param generation 1 for the first one of the cluster
 * @param passPhrase encrypts its key
 * @param now milliseconds since 1970
 */
export async function makeAuthority(
  cluster: string,
  generation: number,
  passPhrase: string,
  now: number,
): Promise<Authority> {
  const keys = await newKeys();
  const until = now + AUTHORITY_DAYS * DAY_MS;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [`mesosup cluster ${cluster} ${generation}`] }],
    notBefore: new Date(now - CLOCK_SLACK_MS),
    notAfter: new Date(until),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const sealed = await seal(Buffer.from(await pemOf(keys.privateKey)), passPhrase);
  return {
    generation,
    certificate: ended(certificate.toString('pem')),
    key: sealed.toString('base64'),
    until,
  };
}

/**
 * Issues certificates for servers and clients.
 * @param file name for errors, of the file with the authority
 * @param now milliseconds since 1970
 * @throws MesosupError if the pass phrase is wrong
 */
export async function issueLeaves(
  authority: Authority,
  wanted: readonly LeafNames[],
  { passPhrase, now, file }: { readonly passPhrase: string; readonly now: number; readonly file: string },
): Promise<Leaf[]> {
  const pem = await unseal(Buffer.from(authority.key, 'base64'), passPhrase, file, WRONG);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(pem.toString()),
    ALGORITHM,
    false,
    ['sign'],
  );
  const issuer = new x509.X509Certificate(authority.certificate);
  return Promise.all(
    wanted.map(async (one) => {
      const keys = await newKeys();
      const until = Math.min(now + LEAF_DAYS * DAY_MS, authority.until);
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: [{ CN: [one.host] }, { OU: [one.service] }],
        issuer: issuer.subjectName.toJSON(),
        notBefore: new Date(now - CLOCK_SLACK_MS),
        notAfter: new Date(until),
        signingAlgorithm: ALGORITHM,
        publicKey: keys.publicKey,
        signingKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
          new x509.SubjectAlternativeNameExtension(
            one.names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
          ),
          await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      return {
        ...one,
        certificate: ended(certificate.toString('pem')),
        key: await pemOf(keys.privateKey),
        until,
        authority: authority.generation,
      };
    }),
  );
}

const WRONG =
  'Name the file with the right one with MESOSUP_CA_PASSPHRASE_FILE. If it is lost, make a new authority: mesosup certs rotate-ca';

function newKeys() {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return ended(x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY'));
}

/** Positive, as RFC 5280 wants it: 127 bits. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('hex');
}

function ended(pem: string): string {
  return `${pem.trim().replaceAll('\r\n', '\n')}\n`;
}
