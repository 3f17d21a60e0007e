/** `npm run docs`: writes docs/reference.md from the built commands, and Marathon's fields into docs/scheduler-api.md. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { markdownReference } from '../src/cli/reference/markdown.ts';
import { referenceOf } from '../src/cli/reference/reference.ts';
import { withFieldTable } from '../test/scheduler/marathon-fields.ts';

const root = path.resolve(import.meta.dirname, '..');
const { commands } = JSON.parse(await readFile(path.join(root, 'dist/lib/commands.json'), 'utf8'));
await writeFile(
  path.join(root, 'docs/reference.md'),
  markdownReference(referenceOf(Object.values(commands))),
);

const api = path.join(root, 'docs/scheduler-api.md');
await writeFile(api, withFieldTable(await readFile(api, 'utf8')));
