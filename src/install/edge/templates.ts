/** Reads the templates of an installation. */

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Templates } from '../templates.ts';

/**
 * @param root of the program: it holds `templates/`
 * @returns the texts by their paths beneath it, with `/` between
 * @throws MesosupError when there are none
 */
export async function loadTemplates(root: string): Promise<Templates> {
  const directory = path.join(root, 'templates');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new MesosupError(`the installation at ${root} has no templates: ${cause.message}`, {
      remedy: 'Install mesosup again, or run npm run build in a checkout.',
      cause,
    });
  });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
  const texts = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.join(directory, file), 'utf8');
      return [file.split(path.sep).join('/'), text] as const;
    }),
  );
  return Object.fromEntries(texts);
}
