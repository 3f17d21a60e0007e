/** Reads the templates of an installation. */

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { LoginScripts } from '../../hosts/launcher.ts';
import { HOST_SCRIPTS, type HostScripts } from '../script/host-scripts.ts';
import type { Templates } from '../templates.ts';

const REMEDY = 'Install mesosup again, or run npm run build in a checkout.';

/**
 * @param root directory of the program, which contains `templates/`
 * @returns the texts by their paths below `templates/`, with `/` as separator
 * @throws MesosupError when there are no templates
 */
export async function loadTemplates(root: string): Promise<Templates> {
  const directory = path.join(root, 'templates');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new MesosupError(`the installation at ${root} has no templates: ${cause.message}`, {
      remedy: REMEDY,
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

/**
 * Picks the scripts for hosts from the templates of the installation at `root`.
 * @throws MesosupError naming the missing scripts
 */
export function hostScripts(root: string, templates: Templates): HostScripts {
  const texts = HOST_SCRIPTS.map((name) => [name, templates[`host/${name}`]] as const);
  const missing = texts.filter(([, text]) => text === undefined).map(([name]) => `templates/host/${name}`);
  if (missing.length > 0) {
    throw new MesosupError(`the installation at ${root} lacks ${missing.join(', ')}`, { remedy: REMEDY });
  }
  return Object.fromEntries(texts) as HostScripts;
}

/** Picks the scripts with which `src/hosts` logs in and becomes root. */
export function loginScripts(scripts: HostScripts): LoginScripts {
  return {
    afterLogin: scripts['login/after-login.sh'],
    asUser: scripts['login/as-user.sh'],
    becomePlain: scripts['login/become-plain.sh'],
    asRoot: scripts['login/as-root.sh'],
  };
}
