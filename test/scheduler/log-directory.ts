/** The output of a task in a directory of this machine, as the scheduler reads it from an agent. */

import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type LogDirectory, nameOf, oldest } from '../../src/scheduler/sandbox/log-file.ts';
import { type From, startLog } from '../../src/scheduler/sandbox/log-start.ts';
import { readLogs } from '../../src/scheduler/sandbox/log-stream.ts';

export function logDirectory(path: string): LogDirectory {
  return {
    async read(name, offset, length) {
      let fd: number;
      try {
        fd = openSync(join(path, name), 'r');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      const bytes = Buffer.alloc(length);
      const read = readSync(fd, bytes, 0, length, offset);
      closeSync(fd);
      return bytes.subarray(0, read);
    },
    list: async () => readdirSync(path).map((name) => ({ name, size: statSync(join(path, name)).size })),
  };
}

/** Reads a stream from a start to its present end. */
export async function readLog(
  directory: LogDirectory,
  name: 'stdout' | 'stderr',
  from: From,
): Promise<string> {
  const logs = new Map([[name, await startLog(directory, name, from)]]);
  const { signal } = new AbortController();
  let text = '';
  for await (const { bytes } of readLogs({
    ...{ logs, signal, follow: false, byLines: false },
    hasEnded: async () => true,
  })) {
    text += bytes.toString();
  }
  return text;
}

/** Reads all files of a stream, the oldest first. */
export async function retained(directory: LogDirectory, name: string): Promise<string> {
  let text = '';
  for (let back = oldest(await directory.list(), name); back >= 0; back -= 1) {
    text += (await directory.read(nameOf(name, back), 0, 1 << 20))?.toString() ?? '';
  }
  return text;
}
