/** Private keys in files: what can be told about one at a glance, and the key itself once it is unlocked. */

import { readFile, stat } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { HostError } from '../host.ts';
import type { Questions } from '../questions.ts';
import { outlineOpenSshKey } from './openssh-key.ts';

const TRIES = 3;

export interface KeyFile {
  readonly file: string;
  /** Null when only the pass phrase would tell. */
  readonly publicKey: ParsedKey | null;
  /** Null for a public key alone, which needs an agent that holds the private one. */
  readonly text: string | null;
}

/** Why a file is passed over; empty when a default file is just not there. */
export interface Passed {
  readonly problem: string;
}

/** @param named whether someone named the file, so that its absence is worth a word */
export async function readKeyFile(file: string, named: boolean, uid: number): Promise<KeyFile | Passed> {
  let text: string;
  try {
    const { mode, uid: owner } = await stat(file);
    text = await readFile(file, 'utf8');
    const isPrivate = text.includes('PRIVATE KEY') || text.startsWith('PuTTY-User-Key-File');
    if (isPrivate && owner === uid && (mode & 0o077) !== 0) {
      const shown = `0${(mode & 0o777).toString(8)}`;
      return { problem: `${file} can be read by others (mode ${shown}) and is not used: chmod 600 ${file}` };
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return { problem: `${file} can't be read: ${code}` };
    const publicKey = await readPublic(file);
    if (publicKey) return { file, publicKey, text: null };
    return { problem: named ? `${file} is not there` : '' };
  }
  const outline = outlineOpenSshKey(text);
  if (outline) {
    const type = outline.publicKey.toString('latin1', 4, 4 + outline.publicKey.readUInt32BE(0));
    const publicKey = ssh2.utils.parseKey(`${type} ${outline.publicKey.toString('base64')}`);
    if (!(publicKey instanceof Error)) return { file, publicKey, text };
    return { problem: `${file} holds a key of type ${type}, which can be used only through an agent` };
  }
  const key = ssh2.utils.parseKey(text);
  if (!(key instanceof Error)) return { file, publicKey: key, text: key.isPrivateKey() ? text : null };
  if (!isLocked(key)) return { problem: `${file} is no private key in a known format` };
  return { file, publicKey: await readPublic(file), text };
}

/** ssh2 has no error codes: it says "Encrypted … detected, but no passphrase given". */
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

/** The keys in files that were unlocked in this run: each is asked for once, however many hosts want it. */
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
        `Load the key into an agent first: ssh-add ${file}`,
      );
    if (!isLocked(open)) throw refuse(`the key ${file} can't be used: ${open.message}`);
    for (let tries = 0; tries < TRIES; tries++) {
      const answer = await this.#questions.ask({ kind: 'pass phrase', file, again: tries > 0 });
      if (answer === undefined) break;
      const key = ssh2.utils.parseKey(text, answer);
      if (!(key instanceof Error)) return key;
      if (tries === TRIES - 1) throw refuse(`no pass phrase given opens the key ${file}`);
    }
    throw refuse(`the key ${file} is locked with a pass phrase, and none was given`);
  }
}
