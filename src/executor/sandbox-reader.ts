/** Reads files of a task's sandbox for the scheduler, without following links. */

import { closeSync, fstatSync, lstatSync, opendirSync, readSync, type Stats } from 'node:fs';
import { type FileEntry, type FilesRequest, type Found, MAX_BYTES, MAX_ENTRIES } from '../exec/files.ts';
import { taskFileName } from './domain/task-directory.ts';
import { openContent } from './open-below.ts';

/** @param root the executor's sandbox */
export function readSandbox(root: string, { task, path, offset, length }: FilesRequest): Found {
  let fd: number | undefined;
  try {
    fd = openContent(root, ['tasks', taskFileName(task), 'sandbox', ...path]);
    if (fd === undefined) return { type: 'refused', message: 'is not a regular file' };
    const info = fstatSync(fd);
    if (info.isDirectory()) return list(fd);
    const bytes = Buffer.alloc(Math.min(length, MAX_BYTES, Math.max(0, info.size - offset)));
    const read = bytes.length === 0 ? 0 : readSync(fd, bytes, 0, bytes.length, offset);
    return { type: 'file', size: info.size, bytes: bytes.subarray(0, read) };
  } catch (error) {
    return failure(error);
  } finally {
    if (fd !== undefined) closeSync(fd);
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
    default:
      return { type: 'refused', message };
  }
}
