import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/** Writes a certificate with its key into the directory: `NAME.pem`, for the host `NAME.example`. */
export async function selfSigned(directory: string, name: string): Promise<void> {
  const key = path.join(directory, `${name}.key`);
  const { stdout } = await execa('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-days', '2'],
    ...['-subj', `/CN=${name}.example`],
  ]);
  await writeFile(path.join(directory, `${name}.pem`), `${stdout}\n${await readFile(key, 'utf8')}`);
}
