/** Reads files of a task's sandbox for the scheduler, without following links. */

import { closeSync, constants, fstatSync, lstatSync, opendirSync, readSync, type Stats } from 'node:fs';
import { type FileEntry, type FilesRequest, type Found, MAX_BYTES, MAX_ENTRIES } from '../exec/files.ts';
import { taskFileName } from './domain/task-directory.ts';
import { openBelow } from './open-below.ts';

/** A FIFO without a writer would block without O_NONBLOCK. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** @param root the executor's sandbox */
export function readSandbox(root: string, { task, path, offset, length }: FilesRequest): Found {
  let fd: number;
  try {
    fd = openBelow(root, ['tasks', taskFileName(task), 'sandbox', ...path], READ);
  } catch (error) {
    return failure(error);
  }
  try {
    const info = fstatSync(fd);
    if (info.isDirectory()) return list(fd);
    if (!info.isFile()) return { type: 'refused', message: 'is not a regular file' };
    const bytes = Buffer.alloc(Math.min(length, MAX_BYTES, Math.max(0, info.size - offset)));
    const read = bytes.length === 0 ? 0 : readSync(fd, bytes, 0, bytes.length, offset);
    return { type: 'file', size: info.size, bytes: bytes.subarray(0, read) };
  } finally {
    closeSync(fd);
  }
}

function list(fd: number): Found {
  const entries: FileEntry[] = [];
  const directory = opendirSync(`/proc/self/fd/${fd}`);
  let more = false;
  try {
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      more = entries.length === MAX_ENTRIES;
      if (more) break;
      const info = lstatSync(`/proc/self/fd/${fd}/${entry.name}`, { throwIfNoEntry: false });
      if (info)
        entries.push({
          name: entry.name,
          type: typeOf(info),
          size: info.size,
          modifiedAt: Math.floor(info.mtimeMs),
        });
    }
  } finally {
    directory.closeSync();
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { type: 'directory', entries, more };
}

function typeOf(info: Stats): FileEntry['type'] {
  if (info.isFile()) return 'file';
  if (info.isDirectory()) return 'directory';
  return info.isSymbolicLink() ? 'link' : 'other';
}

function failure(error: unknown): Found {
  if (error instanceof RangeError) return { type: 'refused', message: error.message };
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return { type: 'missing' };
    case 'ELOOP':
    case 'ENOTDIR':
      return { type: 'refused', message: 'leads through a link or a file, which is not followed' };
    // A socket, or a device without a driver.
    case 'ENXIO':
      return { type: 'refused', message: 'is not a regular file' };
    default:
      return { type: 'refused', message };
  }
}
