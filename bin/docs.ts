/** `npm run docs`: writes docs/reference.md from the built commands. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { markdownReference } from '../src/cli/reference/markdown.ts';
import { referenceOf } from '../src/cli/reference/reference.ts';

const root = path.resolve(import.meta.dirname, '..');
const { commands } = JSON.parse(await readFile(path.join(root, 'dist/lib/oclif.manifest.json'), 'utf8'));
await writeFile(
  path.join(root, 'docs/reference.md'),
  markdownReference(referenceOf(Object.values(commands))),
);
