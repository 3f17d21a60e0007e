/** Builds the package for `npm install --global`, without the runtime, which is a dependency. */

import { createWriteStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type TarEntry, tar } from '../../src/install/edge/tar.ts';

/** @param tree an unpacked payload @returns the file name */
export async function npmPackage(tree: string, version: string, directory: string): Promise<string> {
  const names = (await readdir(tree, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(tree, path.join(entry.parentPath, entry.name)))
    .filter((name) => name !== 'bin/node')
    .sort();
  const entries = names.map(async (name): Promise<TarEntry> => {
    const file = path.join(tree, name);
    const { size, mode } = await stat(file);
    return { name: `package/${name}`, mode: mode & 0o111 ? 0o755 : 0o644, content: { file, size } };
  });
  const made = `mesosup-${version}.tgz`;
  const out = createWriteStream(path.join(directory, made));
  await pipeline(tar(await Promise.all(entries)), createGzip(), out);
  return made;
}
