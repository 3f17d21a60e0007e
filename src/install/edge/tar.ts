/** Writes tar archives in the ustar format of POSIX.1-1988. The same entries always give the same bytes. */

import { createReadStream } from 'node:fs';
import { MesosupError } from '../../errors/mesosup-error.ts';

export interface TarEntry {
  /** Relative path in the archive, at most 100 bytes; ends in `/` for a directory. */
  readonly name: string;
  readonly mode: number;
  /** A file on this machine with its size in bytes, or the content itself. Missing for a directory. */
  readonly content?: { readonly file: string; readonly size: number } | Uint8Array;
}

const BLOCK = 512;
/** 1 January 2020, in seconds. Fixed, and not so old that tar warns of an implausible time. */
export const MTIME = 1_577_836_800;

/** @throws MesosupError for a file whose size has changed; RangeError for a name or a file too long for ustar */
export async function* tar(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const { content } = entry;
    const size = content === undefined ? 0 : content instanceof Uint8Array ? content.length : content.size;
    yield tarHeader(entry, size);
    if (content instanceof Uint8Array) yield content;
    else if (content) yield* read(content.file, content.size);
    if (size % BLOCK > 0) yield Buffer.alloc(BLOCK - (size % BLOCK));
  }
  yield Buffer.alloc(2 * BLOCK);
}

async function* read(file: string, size: number): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    seen += chunk.length;
    if (seen > size) break;
    yield chunk;
  }
  if (seen !== size)
    throw new MesosupError(`${file} was changed while it was being packed`, {
      remedy: 'Run the same command again.',
    });
}

/** Returns the header of an entry: owned by root, with the time `MTIME`. */
export function tarHeader({ name, mode }: Pick<TarEntry, 'name' | 'mode'>, size: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`the name ${name} is too long for the archive`);
  if (size > 0o77777777777) throw new RangeError(`${name} is too large for the archive`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number) =>
    header.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  header.write(name, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7); // owner
  octal(0, 116, 7); // group
  octal(size, 124, 11);
  octal(MTIME, 136, 11);
  header.fill(' ', 148, 156); // the checksum is computed with blanks in its own field
  header.write(name.endsWith('/') ? '5' : '0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write('root', 265, 'latin1');
  header.write('root', 297, 'latin1');
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  header[154] = 0;
  return header;
}
