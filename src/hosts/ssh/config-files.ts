/** Reads OpenSSH's client configuration with the files it includes. */

import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { HostError } from '../host.ts';
import { badConfig, type ConfigLine, readLines } from './config-lines.ts';

/** OpenSSH's own limit. */
const MAX_DEPTH = 16;

export interface ConfigPlaces {
  readonly home: string;
  /** Replaces the user's and the machine's files, like `ssh -F`. */
  readonly only?: string;
}

/** @throws HostError 'configuration' for an unreadable or invalid file; a missing default file is no error */
export async function readConfig(host: string, places: ConfigPlaces): Promise<ConfigLine[][]> {
  if (places.only !== undefined) {
    return places.only === 'none' ? [] : [await readOne(host, places.home, places.only, true, 0)];
  }
  return [
    await readOne(host, places.home, path.join(places.home, '.ssh/config'), false, 0),
    await readOne(host, places.home, '/etc/ssh/ssh_config', false, 0),
  ];
}

async function readOne(
  host: string,
  home: string,
  file: string,
  required: boolean,
  depth: number,
): Promise<ConfigLine[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && !required) return [];
    const message = `${file} can't be read: ${code === 'ENOENT' ? 'there is no such file' : code}`;
    throw new HostError(
      host,
      'configuration',
      message,
      `Name another file, or make ${file} readable.`,
      error,
    );
  }
  return Promise.all(
    readLines(host, file, text).map(async (line) => {
      if (line.keyword !== 'include') return line;
      if (depth >= MAX_DEPTH)
        throw badConfig(host, line, `Include is nested more than ${MAX_DEPTH} levels deep`);
      const base = file.startsWith('/etc/ssh/') ? '/etc/ssh' : path.join(home, '.ssh');
      const found = await Promise.all(line.words.map((word) => expand(word, home, base)));
      const included = await Promise.all(found.flat().map((f) => readOne(host, home, f, false, depth + 1)));
      return { ...line, included };
    }),
  );
}

/** The files that match a pattern of Include, sorted like glob(3). */
async function expand(pattern: string, home: string, base: string): Promise<string[]> {
  const full = path.resolve(base, pattern.replace(/^~(?=\/|$)/, home));
  if (!/[*?[]/.test(full)) return [full];
  const files: string[] = [];
  for await (const file of glob(full)) files.push(file);
  return files.sort();
}
