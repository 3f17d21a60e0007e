/**
 * Encrypts a backup with a pass phrase. A sealed file is a line of JSON, the ciphertext of AES-256-GCM, and its tag of 16
 * bytes. The line has the parameters of scrypt and the length of the ciphertext, and is authenticated, too.
 */

import {
  createCipheriv,
  createDecipheriv,
  randomBytes,
  type ScryptOptions,
  scrypt,
  timingSafeEqual,
} from 'node:crypto';
import { promisify } from 'node:util';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { isJson, parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';

const KIND = 'mesosup-backup';
const FORMAT = 1;
const TAG = 16;
/** Bytes. A header is far shorter. */
const MAX_HEADER = 4096;
/** 128 MiB of memory, and about half a second. */
const COST = { N: 2 ** 17, r: 8, p: 1 };
/** A damaged or hostile header must not fill the memory. */
const MAX_MEMORY = 512 * 2 ** 20;

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** @param cost of scrypt; the file tells it to whoever opens it */
export async function seal(content: Uint8Array, passPhrase: string, cost = COST): Promise<Buffer> {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const { key, check } = await keysOf(passPhrase, salt, cost);
  const header = {
    kind: KIND,
    format: FORMAT,
    release: RELEASE,
    ...cost,
    salt: salt.toString('base64'),
    nonce: nonce.toString('base64'),
    check: check.toString('base64'),
    length: content.length,
  };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(line);
  return Buffer.concat([line, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** What to do about a wrong pass phrase. */
const OF_BACKUP = 'Use the pass phrase with which the backup was made.';

/**
 * @param file name for errors
 * @throws MesosupError that tells a wrong pass phrase from a damaged or incomplete file
 */
export async function unseal(
  sealed: Buffer,
  passPhrase: string,
  file: string,
  remedy = OF_BACKUP,
): Promise<Buffer> {
  const end = sealed.subarray(0, MAX_HEADER).indexOf('\n') + 1;
  const header = headerOf(sealed.subarray(0, end).toString(), file);
  const whole = end + header.length + TAG;
  if (sealed.length < whole) {
    throw new MesosupError(`${file} is cut short: it has ${sealed.length} of ${whole} bytes`, {
      path: file,
      remedy: 'Copy the file again, or use another backup.',
    });
  }
  if (sealed.length > whole) throw damaged(file);
  const { key, check } = await keysOf(passPhrase, Buffer.from(header.salt, 'base64'), header).catch(() => {
    // Numbers that scrypt does not take, or that need more memory.
    throw damaged(file);
  });
  const known = Buffer.from(header.check, 'base64');
  if (known.length !== check.length) throw damaged(file);
  if (!timingSafeEqual(known, check)) {
    throw new MesosupError(`the pass phrase of ${file} is wrong`, {
      path: file,
      remedy,
    });
  }
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(header.nonce, 'base64'))
      .setAAD(sealed.subarray(0, end))
      .setAuthTag(sealed.subarray(-TAG));
    return Buffer.concat([decipher.update(sealed.subarray(end, end + header.length)), decipher.final()]);
  } catch {
    throw damaged(file);
  }
}

interface Header {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly nonce: string;
  readonly check: string;
  readonly length: number;
}

function headerOf(line: string, file: string): Header {
  const header = parseJson(line);
  if (!isJson(header) || header.kind !== KIND) {
    throw new MesosupError(`${file} is not a backup of a cluster`, {
      path: file,
      remedy: 'Name a file that "mesosup backup" has written.',
    });
  }
  if (header.format !== FORMAT) {
    throw new MesosupError(
      `${file} has format ${String(header.format)}, and mesosup ${RELEASE} reads format ${FORMAT}: a later release wrote it`,
      { path: file, remedy: `Run mesosup ${String(header.release)}, which wrote it, or a later release.` },
    );
  }
  const { N, r, p, salt, nonce, check, length } = header;
  const counts = [N, r, p, length].every((value) => Number.isSafeInteger(value) && Number(value) >= 0);
  const texts = [salt, nonce, check].every((value) => typeof value === 'string');
  const cost = 128 * Number(N) * Number(r);
  if (!counts || !texts || !(cost > 0 && cost <= MAX_MEMORY) || Number(p) > 16 || Number(p) < 1)
    throw damaged(file);
  return header as unknown as Header;
}

/** The check tells whether the pass phrase is right, and reveals nothing about the key. */
async function keysOf(passPhrase: string, salt: Buffer, { N, r, p }: Pick<Header, 'N' | 'r' | 'p'>) {
  const both = await derive(passPhrase.normalize('NFC'), salt, 48, { N, r, p, maxmem: 2 * MAX_MEMORY });
  return { key: both.subarray(0, 32), check: both.subarray(32) };
}

function damaged(file: string): MesosupError {
  return new MesosupError(`${file} is damaged`, {
    path: file,
    remedy: 'Copy the file again, or use another backup.',
  });
}
