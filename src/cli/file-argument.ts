/** Reads the FILE argument of the `scheduler` commands. */

import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { UsageError } from '../errors/mesosup-error.ts';

/** The name of the file in messages. */
export function displayName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/** @param file a path, or `-` for standard input @throws UsageError */
export async function readFileArgument(file: string): Promise<Buffer> {
  return (file === '-' ? buffer(process.stdin) : readFile(file)).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new UsageError(`${displayName(file)} can't be read: ${why}`);
  });
}
