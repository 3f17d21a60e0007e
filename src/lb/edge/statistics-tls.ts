/** The certificate of haproxy's statistics: haproxy wants it in one file with its key. */

import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TlsMaterial } from '../../tls/material.ts';
import type { StatsTls } from '../configuration.ts';
import type { LbOptions } from '../options.ts';

export class StatisticsTls {
  readonly #options: Pick<LbOptions, 'tls' | 'dataDirectory'>;
  readonly #material: TlsMaterial;
  #written: StatsTls | undefined;

  /** @param onProblem called if a changed certificate can't be used; the former one stays in use */
  constructor(options: Pick<LbOptions, 'tls' | 'dataDirectory'>, onProblem: (message: string) => void) {
    this.#options = options;
    this.#material = new TlsMaterial(options.tls, onProblem);
  }

  /** Writes the file if the certificate has changed. @throws MesosupError if the certificate never could be used */
  async current(): Promise<StatsTls | undefined> {
    const { tls, dataDirectory } = this.#options;
    if (tls.mode === 'off') return undefined;
    const { cert, key } = this.#material.current().options;
    const content = `${cert}\n${key}`;
    const fingerprint = createHash('sha256').update(content).digest('hex');
    if (this.#written?.fingerprint === fingerprint) return this.#written;
    const file = path.join(dataDirectory, 'statistics.pem');
    await writeFile(`${file}.new`, content, { mode: 0o600 });
    await rename(`${file}.new`, file);
    const name = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 12);
    this.#written = {
      file,
      fingerprint,
      ...(tls.mode === 'preferred' && { plainSocket: `mesosup-lb-${name}` }),
    };
    return this.#written;
  }
}
