/** The keys that sign the lab's apt repositories, made once and kept in the cache. */

import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

export interface SigningKey {
  fingerprint: string;
  /** The public key, ASCII-armoured. */
  publicKey: string;
  /** Signs a text in the form of InRelease. */
  sign(text: string): Promise<string>;
}

/** An expired key signs with a date at which it was valid, so that only the key is invalid. */
const KINDS = {
  good: { expires: 'never', flags: [] },
  expired: { expires: '1d', flags: ['--faked-system-time', '20200101T120000!'] },
} as const;

/** Uses the key with gpg and ends gpg's agent afterwards. */
export async function withSigningKey<T>(
  kind: keyof typeof KINDS,
  cache: string,
  use: (key: SigningKey) => Promise<T>,
): Promise<T> {
  const home = path.join(cache, `gnupg-${kind}`);
  const { expires, flags } = KINDS[kind];
  if (!(await exists(home))) await makeKey(home, expires, flags);
  const gpg = async (args: string[], input = '') =>
    (await execa('gpg', ['--homedir', home, '--batch', ...flags, ...args], { input, env: { LC_ALL: 'C' } }))
      .stdout;
  try {
    return await use({
      fingerprint: (await readFile(path.join(home, 'fingerprint'), 'utf8')).trim(),
      publicKey: `${await gpg(['--armor', '--export'])}\n`,
      sign: async (text) => `${await gpg(['--digest-algo', 'SHA512', '--clearsign'], text)}\n`,
    });
  } finally {
    await execa('gpgconf', ['--homedir', home, '--kill', 'gpg-agent'], { reject: false });
  }
}

async function makeKey(home: string, expires: string, flags: readonly string[]): Promise<void> {
  await mkdir(path.dirname(home), { recursive: true });
  const fresh = await mkdtemp(path.join(path.dirname(home), 'gnupg-new-'));
  const gpg = (...args: string[]) => execa('gpg', ['--homedir', fresh, '--batch', ...flags, ...args]);
  try {
    await gpg('--passphrase', '', '--quick-generate-key', 'Lab <lab@localhost>', 'ed25519', 'sign', expires);
    const { stdout } = await gpg('--with-colons', '--list-secret-keys');
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1];
    if (fingerprint === undefined) throw new Error(`gpg made no key:\n${stdout}`);
    await writeFile(path.join(fresh, 'fingerprint'), fingerprint);
  } finally {
    await execa('gpgconf', ['--homedir', fresh, '--kill', 'gpg-agent'], { reject: false });
  }
  // Another lab may have made a key meanwhile, which can be used, too.
  await rename(fresh, home).catch(() => rm(fresh, { recursive: true, force: true }));
}

async function exists(name: string): Promise<boolean> {
  return stat(name).then(
    () => true,
    () => false,
  );
}
