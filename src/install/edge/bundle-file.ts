/** Writes and reads the file of a bundle: a tar archive with the manifest, and then each file, named by its SHA-256. */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { unreadable } from '../../errors/unreadable.ts';
import { parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import { readStored } from '../../stored/file.ts';
import { type BundleManifest, bundleFile, filesOf } from '../bundle/manifest.ts';
import { type TarEntry, tar } from './tar.ts';

const MANIFEST = 'bundle.json';
const FILES = 'files/';
const BLOCK = 512;
/** Bytes. A manifest of three systems has less than 1 MB. */
const MAX_MANIFEST = 64 * 2 ** 20;

/**
 * Replaces the file only when the bundle is complete.
 * @param pathOf returns the path of a file on this machine
 * @throws MesosupError
 */
export async function writeBundle(
  file: string,
  manifest: BundleManifest,
  pathOf: (sha256: string) => string,
): Promise<void> {
  const text = Buffer.from(`${JSON.stringify({ format: 1, release: RELEASE, ...manifest })}\n`);
  const entries: TarEntry[] = [
    { name: MANIFEST, mode: 0o644, content: text },
    ...filesOf(manifest).map(({ sha256, bytes }) => ({
      name: `${FILES}${sha256}`,
      mode: 0o644,
      content: { file: pathOf(sha256), size: bytes },
    })),
  ];
  const draft = `${file}.part`;
  try {
    await pipeline(tar(entries), createWriteStream(draft, { mode: 0o644, flush: true }));
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    if (error instanceof MesosupError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MesosupError(`${file} can't be written: ${code ?? message}`, {
      path: file,
      remedy: 'Name another file with --out, on a disk with enough free space.',
      cause: error,
    });
  }
}

/** Receives a file of a bundle. `keep` is called when its SHA-256 has been checked, `drop` if it is wrong. */
export interface Receiver {
  write(chunk: Uint8Array): Promise<void>;
  keep(): Promise<void>;
  drop(): Promise<void>;
}

const nothing = async (): Promise<void> => {};
const CHECKED_ONLY: Receiver = { write: nothing, keep: nothing, drop: nothing };

/** Keeps what was written, or drops it after an error. */
export async function received(to: Omit<Receiver, 'write'>, write: () => Promise<void>): Promise<void> {
  try {
    await write();
    await to.keep();
  } catch (error) {
    await to.drop();
    throw error;
  }
}

/**
 * Reads a bundle to its end, and checks every file.
 * @param receive returns the receiver of a file; undefined for a file that is only checked
 * @throws MesosupError for a bundle that is damaged, cut, or of a later release
 */
export async function readBundle(
  file: string,
  receive: (manifest: BundleManifest, sha256: string) => Promise<Receiver | undefined>,
): Promise<BundleManifest> {
  const input = new Input(file);
  try {
    const first = await input.header();
    if (first?.name !== MANIFEST || first.size > MAX_MANIFEST) throw damaged(file, 'it is not a bundle');
    const manifest = readManifest(file, await input.text(first.size));
    const missing = new Map(filesOf(manifest).map((one) => [one.sha256, one.bytes]));
    for (let entry = await input.header(); entry !== undefined; entry = await input.header()) {
      const sha256 = entry.name.slice(FILES.length);
      if (missing.get(sha256) !== entry.size) throw damaged(file, `${entry.name} is not in its manifest`);
      await take(file, input, sha256, entry.size, await receive(manifest, sha256));
      missing.delete(sha256);
    }
    if (missing.size > 0) throw damaged(file, `it lacks ${missing.size} files of its manifest`);
    return manifest;
  } catch (error) {
    if (error instanceof MesosupError) throw error;
    throw unreadable(file, error);
  } finally {
    input.close();
  }
}

async function take(
  file: string,
  input: Input,
  sha256: string,
  size: number,
  to: Receiver = CHECKED_ONLY,
): Promise<void> {
  await received(to, async () => {
    const hash = createHash('sha256');
    for await (const chunk of input.content(size)) {
      hash.update(chunk);
      await to.write(chunk);
    }
    const found = hash.digest('hex');
    if (found !== sha256) throw damaged(file, `${FILES}${sha256} has the SHA-256 ${found}`);
  });
}

function readManifest(file: string, text: string): BundleManifest {
  const read = readStored(parseJson(text), bundleFile, (why, remedy) =>
    remedy === undefined
      ? damaged(file, `its manifest ${why}`)
      : new MesosupError(`${file} ${why}`, { path: file, remedy }),
  );
  if (read === undefined) throw damaged(file, 'its manifest is not JSON');
  return read;
}

function damaged(file: string, why: string): MesosupError {
  return new MesosupError(`the bundle ${file} is damaged: ${why}\nNothing was changed.`, {
    path: file,
    remedy: 'Copy it again, or make a new one with: mesosup bundle',
  });
}

/** Reads a tar archive as `tar` writes it. */
class Input {
  readonly #file: string;
  readonly #stream;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: string) {
    this.#file = file;
    this.#stream = createReadStream(file, { highWaterMark: 1 << 20 });
    this.#chunks = this.#stream[Symbol.asyncIterator]();
  }

  close(): void {
    this.#stream.destroy();
  }

  /** Undefined at the end of the archive. */
  async header(): Promise<{ readonly name: string; readonly size: number } | undefined> {
    const block = await this.#read(BLOCK);
    if (block.every((byte) => byte === 0)) return undefined;
    const sum = Number.parseInt(block.toString('latin1', 148, 154), 8);
    const blank = Buffer.from(block).fill(' ', 148, 156);
    const size = Number.parseInt(block.toString('latin1', 124, 135), 8);
    if (blank.reduce((all, byte) => all + byte, 0) !== sum || !(size >= 0))
      throw damaged(this.#file, 'one of its headers is wrong');
    return { name: block.toString('latin1', 0, 100).replace(/\0.*$/s, ''), size };
  }

  async *content(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.#rest.length === 0) this.#rest = await this.#next();
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
    if (size % BLOCK > 0) await this.#read(BLOCK - (size % BLOCK));
  }

  async text(size: number): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.content(size)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  async #read(size: number): Promise<Buffer> {
    while (this.#rest.length < size) this.#rest = Buffer.concat([this.#rest, await this.#next()]);
    const found = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return found;
  }

  async #next(): Promise<Buffer> {
    const { done, value } = await this.#chunks.next();
    if (done) throw damaged(this.#file, 'its end is missing');
    return value;
  }
}
