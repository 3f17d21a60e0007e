/** Collects the licences of an archive: of mesosup, the bundled libraries and the Node runtime. */

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

interface Part {
  readonly title: string;
  readonly text: string;
}

/**
 * @param root the checkout, with mesosup's LICENSE
 * @param modules the module ids of the bundler
 * @param node the runtime: `…/bin/node` of a package with Node's licence
 * @throws Error that names a package without a licence
 */
export async function licences(root: string, modules: readonly string[], node: string): Promise<string> {
  const directories = [
    ...new Set(modules.map((id) => packageOf(id, root)).filter((one) => one !== undefined)),
  ];
  const own = await partOf(root);
  // The same version may be installed in several directories.
  const bundled = new Map((await Promise.all(directories.map(partOf))).map((part) => [part.title, part]));
  const runtime = { title: 'Node.js, the runtime in bin/node', text: await nodeLicence(node) };
  const parts = [own, runtime, ...[...bundled.values()].sort((a, b) => (a.title < b.title ? -1 : 1))];
  const contents = parts.map(({ title }) => `  ${title}\n`).join('');
  const line = '='.repeat(80);
  const texts = parts.map(({ title, text }) => `${line}\n${title}\n${line}\n\n${text.trim()}\n`);
  return `Contents of this archive, with the licence of each part:\n\n${contents}\n${texts.join('\n')}`;
}

/** The directory of a module's package; undefined for mesosup's own modules. */
export function packageOf(id: string, root: string): string | undefined {
  // Helper code of the bundler.
  if (id.startsWith('\0rolldown')) return path.join(root, 'node_modules/rolldown');
  const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id);
  return id.startsWith('\0') ? undefined : found?.[1];
}

async function partOf(directory: string): Promise<Part> {
  const { name, version, license } = JSON.parse(await readFile(path.join(directory, 'package.json'), 'utf8'));
  const title = `${name} ${version}: ${license}`;
  const names = (await readdir(directory)).sort();
  const read = (pattern: RegExp) =>
    Promise.all(
      names.filter((file) => pattern.test(file)).map((file) => readFile(path.join(directory, file), 'utf8')),
    );
  const texts = await read(/^(licen[cs]e|copying|notice)/i);
  if (texts.length > 0) return { title, text: texts.join('\n\n') };
  const [section] = (await read(/^readme\.md$/i)).map(
    (text) => /^#*\s*licen[cs]e\s*$[\s\S]*/im.exec(text)?.[0],
  );
  if (section === undefined)
    throw new Error(`${directory} has no licence, neither as a file nor in its README`);
  return { title, text: section };
}

/** Node may lack a licence file if it isn't npm's; releases use npm's Node. */
async function nodeLicence(node: string): Promise<string> {
  const file = path.join(path.dirname(node), '../LICENSE');
  return readFile(file, 'utf8').catch(() => 'See https://github.com/nodejs/node/blob/main/LICENSE');
}
