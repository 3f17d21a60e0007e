/** Writes to standard output no faster than it is read. */

import { once } from 'node:events';
import type { Answer } from '../client/api-client.ts';

/** @returns the last characters that were written */
export async function writeOut({ body }: Pick<Answer, 'body'>): Promise<string> {
  let last = '';
  for await (const chunk of body ?? []) {
    const bytes = Buffer.from(chunk);
    last = bytes.subarray(-1).toString('latin1') || last;
    await write(bytes);
  }
  return last;
}

/** Resolves when standard output can take more. */
export async function write(data: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, 'drain');
}
