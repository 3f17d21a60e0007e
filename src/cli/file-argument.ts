/** A FILE argument of the commands around a scheduler. */

import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { UsageError } from '../errors/mesosup-error.ts';

/** As messages call it. */
export function nameOf(file: string): string {
  return file === '-' ? 'the standard input' : file;
}

/** Its content; `-` is the standard input. @throws UsageError */
export async function contentOf(file: string): Promise<Buffer> {
  return (file === '-' ? buffer(process.stdin) : readFile(file)).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new UsageError(`${nameOf(file)} can't be read: ${why}`);
  });
}
