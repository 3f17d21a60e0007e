/** Reads the FILE argument of a command. */

import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { unreadable } from '../errors/unreadable.ts';

/** The name of the file in messages. */
export function displayName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/** @param file a path, or `-` for standard input @throws UsageError */
export async function readFileArgument(file: string): Promise<Buffer> {
  return (file === '-' ? buffer(process.stdin) : readFile(file)).catch((error: unknown) => {
    throw unreadable(displayName(file), error);
  });
}
