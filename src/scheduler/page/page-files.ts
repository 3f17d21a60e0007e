/** The files of the web page, in memory: `npm run build` puts them, and compressed forms of them, into `lib/ui`. */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** The codings of compressed forms, the smallest first, with the ends of their file names. */
export const CODINGS = { br: '.br', gzip: '.gz' } as const;
export type Coding = keyof typeof CODINGS;

export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly whole: Buffer;
  readonly compressed: Readonly<Partial<Record<Coding, Buffer>>>;
  /** True if the name contains a hash of the content, so that it never changes. */
  readonly isImmutable: boolean;
}

/** Files by their path below `/ui/`, such as `assets/main-1a2b3c.js`. */
export type PageFiles = ReadonlyMap<string, PageFile>;

export const INDEX = 'index.html';
export const ASSETS = 'assets/';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** @returns undefined if the directory has no page, as in a build without it */
export async function readPageFiles(directory: string): Promise<PageFiles | undefined> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(ignoreMissing);
  const names = (entries ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  if (!names.includes(INDEX)) return undefined;
  const read = async (name: string) => readFile(path.join(directory, name));
  const isForm = (name: string) =>
    Object.values(CODINGS).some((end) => name.endsWith(end) && names.includes(name.slice(0, -end.length)));
  const files = names
    .filter((name) => !isForm(name))
    .map(async (name): Promise<[string, PageFile]> => {
      const whole = await read(name);
      const forms = Object.entries(CODINGS).filter(([, end]) => names.includes(name + end));
      const compressed = await Promise.all(
        forms.map(async ([coding, end]) => [coding, await read(name + end)] as const),
      );
      return [
        name,
        {
          type: TYPES[path.extname(name)] ?? 'application/octet-stream',
          etag: createHash('sha256').update(whole).digest('base64url').slice(0, 22),
          whole,
          compressed: Object.fromEntries(compressed),
          isImmutable: name.startsWith(ASSETS),
        },
      ];
    });
  return new Map(await Promise.all(files));
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
