/**
 * Messages by which the scheduler reads files of a task from its executor. The executor opens them without following
 * links, which the agent's files API does. Messages may be lost, so a request is repeated until it is answered; reading
 * changes nothing.
 */

import { isJson, type Json } from '../json.ts';
import { decodeData, encodeData } from './message-data.ts';

/** Bytes of a file in one answer. */
export const MAX_BYTES = 128 * 1024;
/** Entries of a directory in one answer. */
export const MAX_ENTRIES = 2000;

export interface FilesRequest {
  readonly id: string;
  readonly task: string;
  /** Names of directories and of the file, below the task's directory. */
  readonly path: readonly string[];
  readonly offset: number;
  readonly length: number;
}

export interface FileEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

export type Found =
  | { readonly type: 'directory'; readonly entries: readonly FileEntry[]; readonly more: boolean }
  /** `size` of the whole file. */
  | { readonly type: 'file'; readonly size: number; readonly bytes: Buffer }
  | { readonly type: 'missing' }
  /** Not a directory nor a regular file, or behind a link. */
  | { readonly type: 'refused'; readonly message: string };

/** @returns base64, as the data of a MESSAGE */
export function encodeFilesRequest({ id, task, path, offset, length }: FilesRequest): string {
  return encodeData({ type: 'files', id, task, path, offset, length });
}

/** @param data base64 @returns undefined if it is not such a request */
export function readFilesRequest(data: string): FilesRequest | undefined {
  const message = decodeData(data);
  if (message?.type !== 'files') return undefined;
  const { id, task, path, offset, length } = message;
  if (typeof id !== 'string' || typeof task !== 'string') return undefined;
  if (!Array.isArray(path) || !path.every((name) => typeof name === 'string')) return undefined;
  if (!isCount(offset) || !isCount(length)) return undefined;
  return { id, task, path, offset, length };
}

/** @returns base64, as the data of a MESSAGE */
export function encodeFilesAnswer(id: string, found: Found): string {
  const content = found.type === 'file' ? { ...found, bytes: found.bytes.toString('base64') } : found;
  return encodeData({ type: 'files-answer', id, found: content });
}

/** @param data base64 @returns undefined if it is not such an answer */
export function readFilesAnswer(data: string): { readonly id: string; readonly found: Found } | undefined {
  const message = decodeData(data);
  if (message?.type !== 'files-answer' || typeof message.id !== 'string' || !isJson(message.found))
    return undefined;
  const found = readFound(message.found);
  return found && { id: message.id, found };
}

function readFound(found: Json): Found | undefined {
  switch (found.type) {
    case 'missing':
      return { type: 'missing' };
    case 'refused':
      return { type: 'refused', message: String(found.message) };
    case 'file':
      if (!isCount(found.size) || typeof found.bytes !== 'string') return undefined;
      return { type: 'file', size: found.size, bytes: Buffer.from(found.bytes, 'base64') };
    case 'directory': {
      if (!Array.isArray(found.entries)) return undefined;
      return {
        type: 'directory',
        entries: found.entries.filter(isJson).map(readEntry),
        more: found.more === true,
      };
    }
    default:
      return undefined;
  }
}

function readEntry({ name, type, size, modifiedAt }: Json): FileEntry {
  const known = (['file', 'directory', 'link'] as const).find((one) => one === type);
  return { name: String(name), type: known ?? 'other', size: Number(size), modifiedAt: Number(modifiedAt) };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
