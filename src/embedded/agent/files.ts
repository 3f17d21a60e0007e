/** Implements `/files`: files in sandboxes, by absolute path or by `/frameworks/…` of this agent. */

import { createReadStream, type Stats } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { basename, join, sep } from 'node:path';
import { answerJson, CallRefused, notFound } from '../wire/http.ts';
import { type Agent, agentId } from './model.ts';

/** Limit of one read: 16 pages. */
const MAX_READ_BYTES = 16 * 4096;

/** @param action the part of the path after `/files/` */
export async function files(
  agent: Agent,
  action: string,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  if (action !== 'browse' && action !== 'read' && action !== 'download') return notFound(response);
  const requestedPath = query.get('path');
  if (requestedPath === null || requestedPath === '')
    throw new CallRefused(400, "Expecting 'path=value' in query.\n");
  const path = await realPath(agent, requestedPath);
  if (path === undefined) return notFound(response);
  if (action === 'browse') return answerJson(response, await browse(requestedPath, path));
  if ((await stat(path)).isDirectory()) {
    throw new CallRefused(400, `Cannot ${action} a directory.\n`);
  }
  if (action === 'read') return answerBytes(response, await read(path, query));
  await download(path, response);
}

/**
 * Resolves a path. Links are followed within the sandbox only.
 * @returns undefined if the file is missing or not in a sandbox
 */
async function realPath(agent: Agent, requestedPath: string): Promise<string | undefined> {
  const root = join(agent.settings.workDir, 'slaves', agentId(agent));
  const isVirtual = requestedPath.startsWith('/frameworks/');
  // Without resolving `..`: it may follow a link.
  const wanted = isVirtual ? `${root}${requestedPath}` : requestedPath;
  const sandbox = /^\/frameworks\/[^/]+\/executors\/[^/]+\/runs\/[^/]+/.exec(wanted.slice(root.length))?.[0];
  if (!wanted.startsWith(root) || sandbox === undefined) return undefined;
  let real: string;
  let realSandbox: string;
  try {
    [real, realSandbox] = await Promise.all([realpath(wanted), realpath(`${root}${sandbox}`)]);
  } catch {
    return undefined;
  }
  if (real === realSandbox || real.startsWith(realSandbox + sep)) return real;
  throw new CallRefused(400, `'${wanted}' is inaccessible.\n`);
}

async function browse(requestedPath: string, path: string): Promise<Record<string, unknown>[]> {
  const info = await stat(path);
  if (!info.isDirectory()) return [];
  const names = (await readdir(path)).sort();
  const listed = await Promise.all(
    names.map(async (name) => {
      const entry = await stat(join(path, name)).catch(() => undefined);
      return entry && describe(join(requestedPath, name), entry);
    }),
  );
  return listed.filter((entry) => entry !== undefined);
}

function describe(path: string, info: Stats): Record<string, unknown> {
  return {
    path,
    nlink: info.nlink,
    size: info.size,
    mtime: info.mtimeMs / 1000,
    mode: modeText(info.mode),
    uid: String(info.uid),
    gid: String(info.gid),
  };
}

/** Letters of `ls` by the bits of the mode. */
const KINDS: Readonly<Record<number, string>> = { 1: 'p', 2: 'c', 4: 'd', 6: 'b', 12: 's' };

/** Formats the mode like ls: `-rw-r--r--`. */
function modeText(mode: number): string {
  const kind = KINDS[(mode & 0o170000) >> 12] ?? '-';
  return (
    kind +
    [6, 3, 0]
      .map((shift) => ['r', 'w', 'x'].map((c, i) => ((mode >> shift) & (4 >> i) ? c : '-')).join(''))
      .join('')
  );
}

/** Mesos writes bytes that are not ASCII into its JSON as they are, whatever they mean. */
function answerBytes(response: ServerResponse, body: { data: string; offset: number }): void {
  const bytes = Buffer.from(JSON.stringify(body), 'latin1');
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
  response.end(bytes);
}

/** Reads a part of a file, as Latin-1. `offset=-1` requests only the size, which is the answer's offset. */
async function read(path: string, query: URLSearchParams): Promise<{ data: string; offset: number }> {
  const offset = integer(query, 'offset', -1);
  const length = integer(query, 'length', -1);
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (offset === -1 || offset >= size || length === 0)
      return { data: '', offset: offset === -1 ? size : offset };
    const wanted = Math.min(length === -1 ? size - offset : length, size - offset, MAX_READ_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, offset);
    return { data: buffer.toString('latin1', 0, bytesRead), offset };
  } finally {
    await file.close();
  }
}

function integer(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value))
    throw new CallRefused(400, `Failed to parse ${name}: '${text}' is not a number.\n`);
  if (value < -1) throw new CallRefused(400, `Negative ${name} provided: ${value}.\n`);
  return value;
}

async function download(path: string, response: ServerResponse): Promise<void> {
  const { size } = await stat(path);
  const name = basename(path).replaceAll(/["\\\r\n]/g, '_');
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${encodeURIComponent(name)}"`,
    'Content-Length': size,
  });
  if (size === 0) {
    response.end();
    return;
  }
  // The file may grow in the meantime: only the announced length is sent.
  const stream = createReadStream(path, { end: size - 1 });
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}
