/**
 * Fetches the URIs of a command into its sandbox, as Mesos' fetcher does: from `file:`, absolute paths, `http:` and
 * `https:`. Source: src/slave/containerizer/fetcher.cpp and src/launcher/fetcher.cpp of Mesos 1.11. Unlike Mesos, it
 * refuses `..` in `output_file` and does not follow links in the sandbox.
 */

import { createHash } from 'node:crypto';
import { constants, existsSync, mkdirSync } from 'node:fs';
import { chmod, lchown, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CommandUri } from '../../mesos/types.ts';
import { extract } from './archives.ts';
import type { UserIds } from './users.ts';

export interface FetchRequest {
  uris: readonly CommandUri[];
  containerId: string;
  sandbox: string;
  /** The owner of the files; undefined for the agent's own user. */
  user: UserIds | undefined;
  /** Directory of the files that are kept for later tasks of the same user. */
  cache: string;
  signal: AbortSignal;
  /** Writes a line to the sandbox's stderr. */
  log: (line: string) => void;
}

/** @throws Error with Mesos' text; the details are in the log */
export async function fetchUris(request: FetchRequest): Promise<void> {
  for (const uri of request.uris) {
    const problem = uriProblem(uri);
    if (problem !== undefined) throw new Error(`Could not fetch: ${problem}`);
  }
  for (const uri of request.uris) {
    try {
      await fetchOne(uri, request);
      request.log(`Fetched '${uri.value}'`);
    } catch (error) {
      request.log(`Failed to fetch '${uri.value}': ${(error as Error).message}`);
      throw new Error(
        `Failed to fetch all URIs for container '${request.containerId}': exited with status 1`,
      );
    }
  }
}

/** @returns why Mesos refuses the URI, with its text */
export function uriProblem({ value, output_file: file }: CommandUri): string | undefined {
  if (/[\\'\0]/.test(value)) return 'Illegal characters in URI';
  const afterScheme = /^..+?:\/\/(.*)$/s.exec(value)?.[1];
  if (afterScheme !== undefined && !/\/./s.test(afterScheme)) return `Malformed URI (missing path): ${value}`;
  if (file === undefined) return undefined;
  if (file === '') return 'URI output file path is empty';
  const isInside = !file.startsWith('/') && !file.split('/').includes('..');
  return isInside ? undefined : 'URI output file must be within the sandbox directory';
}

async function fetchOne(uri: CommandUri, request: FetchRequest): Promise<void> {
  const { sandbox, log } = request;
  // As in Mesos, the name includes the query.
  const name = uri.output_file ?? basename(uri.value);
  const path = join(sandbox, name);
  await makeParents(sandbox, dirname(name), request.user);
  const cached = uri.cache ? await throughCache(uri.value, request) : undefined;
  const isExtracted = uri.extract !== false && !uri.executable;
  // A cached archive is unpacked from the cache, without a copy in the sandbox.
  if (cached !== undefined && isExtracted && (await extract(cached, sandbox, request))) return;
  await download(cached ?? uri.value, path, request);
  if (uri.executable) await chmod(path, 0o755);
  else if (isExtracted && !(await extract(path, sandbox, request))) {
    log(
      `Copying instead of extracting resource from URI with 'extract' flag: it is not an archive: ${uri.value}`,
    );
  }
}

/** @returns the path of the file in the cache, with the name of the URI's file at its end */
async function throughCache(value: string, request: FetchRequest): Promise<string> {
  const { cache } = request;
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  const hash = createHash('sha256').update(value).digest('hex').slice(0, 16);
  const path = join(cache, `c${hash}-${basename(value).slice(-100)}`);
  if (existsSync(path)) return path;
  const part = `${path}.${request.containerId}.part`;
  try {
    await download(value, part, request);
    await rename(part, path);
    return path;
  } finally {
    await rm(part, { force: true });
  }
}

async function download(value: string, path: string, { signal, user }: FetchRequest): Promise<void> {
  const uri = value.trimStart();
  // A link that an archive has left is not followed.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const local = localPath(uri);
  if (local === undefined && !/^https?:\/\//.test(uri)) {
    throw new Error('the embedded agent fetches only file:, http: and https:');
  }
  const response = local === undefined ? await fetch(uri, { signal }) : undefined;
  if (response && response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`Error downloading resource, received HTTP return code ${response.status}`);
  }
  const file = await open(path, flags, 0o644);
  try {
    if (user) await file.chown(user.uid, user.gid);
    const source: AsyncIterable<Uint8Array> | undefined = response
      ? (response.body ?? undefined)
      : (await open(local ?? '')).createReadStream();
    for await (const chunk of source ?? []) await file.appendFile(chunk, { signal });
  } finally {
    await file.close();
  }
}

/** @returns the path of `file:///path`, `file://localhost/path` and `/path`; undefined for other schemes */
function localPath(uri: string): string | undefined {
  if (uri.startsWith('file://')) {
    const path = uri.slice('file://'.length).replace(/^localhost/, '');
    if (!path.startsWith('/')) throw new Error('File URI only supports absolute paths');
    return path;
  }
  if (uri.includes('://')) return undefined;
  if (uri.startsWith('/')) return uri;
  throw new Error(
    'A relative path was passed for the resource but the Mesos framework home was not specified',
  );
}

/** Creates the directories of `output_file`; refuses a link in the place of one. */
async function makeParents(sandbox: string, directory: string, user: UserIds | undefined): Promise<void> {
  let path = sandbox;
  for (const name of directory.split('/').filter((n) => n !== '' && n !== '.')) {
    path = join(path, name);
    await mkdir(path, { mode: 0o755 }).then(
      () => user && lchown(path, user.uid, user.gid),
      async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        if (!(await lstat(path)).isDirectory()) {
          throw new Error(
            `Unable to create subdirectory ${directory} in sandbox: ${path} is not a directory`,
          );
        }
      },
    );
  }
}
