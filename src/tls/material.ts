/** Reads the files of TLS, again whenever they have changed, so that a renewed certificate needs no restart. */

import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import { MesosupError } from '../errors/mesosup-error.ts';
import { factsOf } from './certificate.ts';
import type { CertificateFacts } from './failure.ts';
import type { ClientTls, TlsFiles } from './settings.ts';

export interface Material {
  readonly context: SecureContext;
  /** What the context was made of. */
  readonly options: SecureContextOptions;
  /** The own certificate. */
  readonly own: CertificateFacts | undefined;
}

export class TlsMaterial {
  readonly files: TlsFiles & Pick<ClientTls, 'trustsOwn'>;
  readonly #onProblem: (message: string) => void;
  #version: string | undefined;
  #material: Material | undefined;

  /** @param onProblem called if changed files can't be used; the former content stays in use */
  constructor(
    files: TlsFiles & Pick<ClientTls, 'trustsOwn'>,
    onProblem: (message: string) => void = () => {},
  ) {
    this.files = files;
    this.#onProblem = onProblem;
  }

  /**
   * Looks whether the files have changed. A certificate and its key are two files: while only one of them is new, the
   * former pair stays in use.
   * @throws MesosupError if the files never could be used
   */
  current(): Material {
    const version = versionOf(this.files);
    if (this.#material && version === this.#version) return this.#material;
    this.#version = version;
    try {
      this.#material = load(this.files);
    } catch (error) {
      if (!this.#material) throw error;
      this.#onProblem(`${(error as Error).message}; the former certificate stays in use`);
    }
    return this.#material;
  }
}

function versionOf(files: TlsFiles): string {
  return [files.ca, files.cert, files.key]
    .map((file) => (file === undefined ? '' : versionOfFile(file)))
    .join();
}

function versionOfFile(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino}:${stat.mtimeMs}:${stat.size}` : 'missing';
}

function load(files: TlsFiles & Pick<ClientTls, 'trustsOwn'>): Material {
  const [ca, cert, key] = [read(files.ca), read(files.cert), read(files.key)];
  const options: SecureContextOptions = {
    ...(ca !== undefined && { ca }),
    // Often all schedulers have the same certificate, which no authority has signed.
    ...(ca === undefined &&
      cert !== undefined &&
      files.trustsOwn && { ca: [...getCACertificates('default'), cert] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    minVersion: 'TLSv1.2',
    // The certificate of a server itself may be there without its authority's.
    allowPartialTrustChain: true,
  };
  try {
    return { context: createSecureContext(options), options, own: ownFacts(cert, files.cert) };
  } catch (error) {
    const { message } = error as Error;
    if (ca !== undefined && !isUsable({ ca }))
      throw new MesosupError(`${files.ca} contains no certificates of a CA: ${message}`, { path: files.ca });
    throw new MesosupError(`${files.cert} and ${files.key} are not a certificate and its key: ${message}`, {
      path: files.cert,
    });
  }
}

function isUsable(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

function read(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MesosupError((error as Error).message, { path: file });
  }
}

function ownFacts(cert: string | undefined, file: string | undefined): CertificateFacts | undefined {
  if (cert === undefined) return undefined;
  return { ...factsOf(new X509Certificate(cert)), ...(file !== undefined && { file }) };
}
