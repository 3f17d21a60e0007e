/** Reads private keys from files: first the parts that need no pass phrase, later the unlocked key. */

import { readFile, stat } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { HostError } from '../host.ts';
import type { Questions } from '../questions.ts';
import { outlineOpenSshKey } from './openssh-key.ts';

const TRIES = 3;

export interface KeyFile {
  readonly file: string;
  /** Null if it can't be read without the pass phrase. */
  readonly publicKey: ParsedKey | null;
  /** Null for a public key alone: an agent must hold the private key. */
  readonly text: string | null;
}

/** The reason why a file is skipped; empty for a default file that doesn't exist. */
export interface SkippedKey {
  readonly problem: string;
}

/** @param named true if the user named the file: then a missing file is reported */
export async function readKeyFile(file: string, named: boolean, uid: number): Promise<KeyFile | SkippedKey> {
  let text: string;
  try {
    const { mode, uid: owner } = await stat(file);
    text = await readFile(file, 'utf8');
    const isPrivate = text.includes('PRIVATE KEY') || text.startsWith('PuTTY-User-Key-File');
    if (isPrivate && owner === uid && (mode & 0o077) !== 0) {
      const shown = `0${(mode & 0o777).toString(8)}`;
      return {
        problem: `${file} is not used, because other users can read it (mode ${shown}); run: chmod 600 ${file}`,
      };
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return { problem: `${file} can't be read: ${code}` };
    const publicKey = await readPublic(file);
    if (publicKey) return { file, publicKey, text: null };
    return { problem: named ? `${file} does not exist` : '' };
  }
  const outline = outlineOpenSshKey(text);
  if (outline) {
    const type = outline.publicKey.toString('latin1', 4, 4 + outline.publicKey.readUInt32BE(0));
    const publicKey = ssh2.utils.parseKey(`${type} ${outline.publicKey.toString('base64')}`);
    if (!(publicKey instanceof Error)) return { file, publicKey, text };
    return { problem: `${file} has a key of type ${type}, which works only through an SSH agent` };
  }
  const key = ssh2.utils.parseKey(text);
  if (!(key instanceof Error)) return { file, publicKey: key, text: key.isPrivateKey() ? text : null };
  if (!isLocked(key)) return { problem: `${file} is not a private key in a supported format` };
  return { file, publicKey: await readPublic(file), text };
}

/** ssh2 has no error codes; its message is "Encrypted … detected, but no passphrase given". */
function isLocked(error: Error): boolean {
  return error.message.includes('no passphrase given');
}

async function readPublic(file: string): Promise<ParsedKey | null> {
  try {
    const key = ssh2.utils.parseKey(await readFile(`${file}.pub`, 'utf8'));
    return key instanceof Error ? null : key;
  } catch {
    return null;
  }
}

/** The unlocked keys of this run. Each pass phrase is asked for once, for all hosts. */
export class UnlockedKeys {
  readonly #keys = new Map<string, Promise<ParsedKey>>();
  readonly #questions: Questions;

  constructor(questions: Questions) {
    this.#questions = questions;
  }

  /** @throws HostError 'authentication' without the right pass phrase */
  unlock(host: string, file: string, text: string): Promise<ParsedKey> {
    const known = this.#keys.get(file);
    const key = known ?? this.#unlock(host, file, text);
    this.#keys.set(file, key);
    return key;
  }

  async #unlock(host: string, file: string, text: string): Promise<ParsedKey> {
    const open = ssh2.utils.parseKey(text);
    if (!(open instanceof Error)) return open;
    const refuse = (what: string) =>
      new HostError(
        host,
        'authentication',
        `${host}: ${what}`,
        `Load the key into an SSH agent first: ssh-add ${file}`,
      );
    if (!isLocked(open)) throw refuse(`the key ${file} can't be used: ${open.message}`);
    for (let tries = 0; tries < TRIES; tries++) {
      const answer = await this.#questions.ask({ kind: 'pass phrase', file, again: tries > 0 });
      if (answer === undefined) break;
      const key = ssh2.utils.parseKey(text, answer);
      if (!(key instanceof Error)) return key;
      if (tries === TRIES - 1) throw refuse(`none of ${TRIES} pass phrases unlocks the key ${file}`);
    }
    throw refuse(`the key ${file} needs a pass phrase, and none was entered`);
  }
}
