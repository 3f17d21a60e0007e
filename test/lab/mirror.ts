/**
 * A caching package mirror for hosts without other network access. A file is fetched once, by the machine's own apt
 * with all its settings (proxies, certificates, passwords), and then served to all hosts.
 */

import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';

export interface MirrorOptions {
  /** Kept between labs. */
  cache: string;
  /** Upstream URLs by the first word of the path. */
  upstreams: Readonly<Record<string, string>>;
  /** Directories to serve, by the first word of the path; files that appear later are served, too. */
  directories: Readonly<Record<string, string>>;
}

const APT_HELPER = '/usr/lib/apt/apt-helper';
/** Lists that change under the same name; all other files of a repository never change. */
const CHANGES = /\/dists\/(?!.*\/by-hash\/)/;

/** Number of concurrent downloads. */
const MAX_FETCHES = 8;

export function createMirror(options: MirrorOptions): Server {
  const fetched = new Map<string, Promise<string | undefined>>();
  const limited = limit(MAX_FETCHES);

  /** Returns the file in the cache, which is fetched by one download at a time; undefined if upstream has none. */
  function cached(name: string, url: string): Promise<string | undefined> {
    const file = path.join(options.cache, name);
    const known = fetched.get(name);
    if (known) return known;
    const result = fromCacheOrUpstream(file, url);
    fetched.set(name, result);
    result.then(
      (found) => {
        if (found === undefined) fetched.delete(name);
      },
      () => fetched.delete(name),
    );
    return result;
  }

  async function fromCacheOrUpstream(file: string, url: string): Promise<string | undefined> {
    const present = await isFile(file);
    if (present && !CHANGES.test(file)) return file;
    try {
      return await limited(() => download(url, file));
    } catch (error) {
      // An old list still works when the mirror is unreachable.
      if (present) return file;
      throw error;
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = decodeURIComponent(new URL(request.url ?? '/', 'http://mirror').pathname);
    const [first = '', ...rest] = path.posix.normalize(name).slice(1).split('/');
    const directory = options.directories[first];
    const upstream = options.upstreams[first];
    let file: string | undefined;
    if (directory !== undefined) file = path.join(directory, ...rest);
    else if (upstream !== undefined) {
      file = await cached(path.join(first, ...rest), `${upstream}/${rest.map(encodeURIComponent).join('/')}`);
    }
    if (file === undefined || !(await isFile(file))) {
      response.writeHead(404).end();
      return;
    }
    await send(request, response, file);
  }

  return createServer((request, response) => {
    answer(request, response).catch((error: NodeJS.ErrnoException) => {
      // A client may close the connection as soon as it has the last byte.
      if (error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
      process.stderr.write(`${request.url}: ${error.message}\n`);
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
  });
}

/** Answers with the file, or with the rest of it for a request with a range. */
async function send(request: IncomingMessage, response: ServerResponse, file: string): Promise<void> {
  const { size } = await stat(file);
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const partial = start > 0 && start < size;
  response.writeHead(partial ? 206 : 200, {
    'content-length': partial ? size - start : size,
    ...(partial ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(file, { start: partial ? start : 0 }), response);
}

/** Fetches a file with apt. @returns `file`, or undefined if upstream does not have it */
async function download(url: string, file: string): Promise<string | undefined> {
  await mkdir(path.dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  const options = ['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=3'];
  const { exitCode, stderr } = await execa(APT_HELPER, [...options, '-q=2', 'download-file', url, part], {
    reject: false,
    stdin: 'ignore',
  });
  if (exitCode !== 0) {
    await rm(part, { force: true });
    if (/\b404\b/.test(stderr)) return undefined;
    throw new Error(`apt could not fetch ${url}: ${stderr}`);
  }
  await rename(part, file);
  return file;
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (s) => s.isFile(),
    () => false,
  );
}

/** Limits the number of concurrent calls to `most`. */
function limit(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
