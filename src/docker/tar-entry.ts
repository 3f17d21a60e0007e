/** Reads the first entry of a tar archive, which is how Docker's API sends a file of a container. */

import { MesosupError } from '../errors/mesosup-error.ts';

const BLOCK = 512;

/** @throws MesosupError if the entry is no regular file (a link, a directory), or longer than `limit` bytes */
export async function readTarFile(archive: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  let read: Buffer = Buffer.alloc(0);
  let size: number | undefined;
  for await (const chunk of archive) {
    read = Buffer.concat([read, chunk]);
    if (read.length < BLOCK) continue;
    size ??= fileSize(read, limit);
    if (read.length >= BLOCK + size) return read.subarray(BLOCK, BLOCK + size);
  }
  throw new MesosupError('the archive ends before the file does');
}

function fileSize(header: Buffer, limit: number): number {
  const kind = header.toString('latin1', 156, 157);
  if (kind !== '0' && kind !== '\0') throw new MesosupError('it is not a regular file');
  // Sizes of 8 GiB and more have another encoding, and are over any limit here.
  const size = /^[0-7 ]+\0*$/.test(header.toString('latin1', 124, 136))
    ? Number.parseInt(header.toString('latin1', 124, 135), 8)
    : Number.NaN;
  if (size <= limit) return size;
  throw new MesosupError(`it is longer than ${limit} bytes`);
}
