/**
 * The pass phrase that encrypts the keys of certificate authorities. It is outside the directory of a cluster, so that
 * neither a copy of that directory nor a backup is enough to sign certificates.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';

/** Environment variable with the path of a file. */
const VARIABLE = 'MESOSUP_CA_PASSPHRASE_FILE';

/** Returns the path of the file with the pass phrase: `MESOSUP_CA_PASSPHRASE_FILE`, or a file in the user's configuration. */
export function passPhraseFile(environment: NodeJS.ProcessEnv = process.env, home = os.homedir()): string {
  const named = environment[VARIABLE];
  if (named !== undefined && named !== '') return path.resolve(named);
  const set = environment.XDG_CONFIG_HOME;
  const base = set !== undefined && path.isAbsolute(set) ? set : path.join(home, '.config');
  return path.join(base, 'mesosup', 'ca-passphrase');
}

/** @throws MesosupError if the file is missing, empty, or open to other users */
export async function readPassPhrase(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const file = passPhraseFile(environment);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new MesosupError(
      `the pass phrase of the certificate authority can't be read: ${file}: ${error.code}`,
      {
        path: file,
        remedy: `Copy the file from the machine that made the cluster's certificates, or name it with ${VARIABLE}. If it is lost, make a new authority: mesosup certs rotate-ca`,
        cause: error,
      },
    );
  });
  const [phrase = ''] = text.split(/\r?\n/);
  if (phrase === '')
    throw new MesosupError(`${file} has no pass phrase in its first line`, {
      path: file,
      remedy: `Restore it, or name another file with ${VARIABLE}.`,
    });
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0)
    throw new MesosupError(`${file} has a pass phrase, but other users can read it`, {
      path: file,
      remedy: `Run: chmod 600 ${file}`,
    });
  return phrase;
}

/** Reads the pass phrase, or makes a new one if there is no file and the environment names none. */
export async function makePassPhrase(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const file = passPhraseFile(environment);
  if (!environment[VARIABLE]) {
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, {
        mode: 0o600,
        flag: 'wx',
        flush: true,
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST')
        throw new MesosupError(`${file} can't be written: ${code}`, {
          path: file,
          remedy: `Make its directory writable, or name another file with ${VARIABLE}.`,
          cause: error,
        });
    }
  }
  return readPassPhrase(environment);
}
