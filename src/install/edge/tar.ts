/** A tar archive of files in the order given, in the ustar format of POSIX.1-1988: the same files, the same bytes. */

import { createReadStream } from 'node:fs';
import { MesosupError } from '../../errors/mesosup-error.ts';

export interface TarEntry {
  /** In the archive: relative, no more than 100 bytes; a directory's ends in `/`. */
  readonly name: string;
  readonly mode: number;
  /** A file on this machine with its size in bytes, or the content itself; nothing for a directory. */
  readonly content?: { readonly file: string; readonly size: number } | Uint8Array;
}

const BLOCK = 512;
/** 1 January 2020: any time will do that is not so old that tar remarks on it. Seconds. */
export const MTIME = 1_577_836_800;

/** @throws Error for a file that is not as long as was said, RangeError for a name or a file that ustar can't hold */
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

/** The header of an entry: owned by root, and of no time in particular. */
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
  header.fill(' ', 148, 156); // the sum is taken with blanks in its own place
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
