import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { licences, packageOf } from './licences.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mesosup-licences-'));
  await put('.', {
    'package.json': '{"name":"own","version":"1.0.0","license":"Apache-2.0"}',
    LICENSE: 'ours',
  });
  await put('node_modules/runtime', { LICENSE: 'of Node' });
});
afterEach(() => rm(root, { recursive: true }));

async function put(directory: string, files: Record<string, string>): Promise<void> {
  await mkdir(path.join(root, directory), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(root, directory, name), text);
}

function made(...modules: string[]): Promise<string> {
  const ids = modules.map((id) => path.join(root, id));
  return licences(root, ids, path.join(root, 'node_modules/runtime/bin/node'));
}

const mit = (name: string) => JSON.stringify({ name, version: '2.0.0', license: 'MIT' });

test('lists each package once, with its licence, its notice, or the licence section of its README', async () => {
  await put('node_modules/b', { 'package.json': mit('b'), 'LICENSE.md': 'text of b', NOTICE: 'notice of b' });
  await put('node_modules/a/node_modules/b', { 'package.json': mit('b'), LICENSE: 'text of b' });
  await put('node_modules/a', {
    'package.json': mit('a'),
    'README.md': '# a\n\nmuch\n\n## License\n\nMIT, by A\n',
  });
  const text = await made(
    'src/x.ts',
    'node_modules/b/1.js',
    'node_modules/a/2.js',
    'node_modules/b/lib/3.js',
  );
  expect(text.split('\n').slice(2, 6)).toEqual([
    '  own 1.0.0: Apache-2.0',
    '  Node.js, the runtime in bin/node',
    '  a 2.0.0: MIT',
    '  b 2.0.0: MIT',
  ]);
  for (const part of ['ours', 'of Node', 'text of b', 'notice of b', 'MIT, by A'])
    expect(text).toContain(part);
  expect(text).not.toContain('much');
  const twice = await made('node_modules/b/1.js', 'node_modules/a/node_modules/b/1.js');
  expect(twice.match(/^ {2}b 2/gm)).toHaveLength(1);
});

test('refuses a package without a licence', async () => {
  await put('node_modules/c', { 'package.json': mit('c') });
  await expect(made('node_modules/c/1.js')).rejects.toThrow('node_modules/c has no licence');
});

test('finds the innermost package of a module, and the bundler for its helpers', () => {
  expect(packageOf('/x/node_modules/@a/b/node_modules/c/d/e.js', '/x')).toBe(
    '/x/node_modules/@a/b/node_modules/c',
  );
  expect(packageOf('/x/node_modules/@a/b/e.js', '/x')).toBe('/x/node_modules/@a/b');
  expect(packageOf('/x/src/cli/main.ts', '/x')).toBeUndefined();
  expect(packageOf('\0node:http', '/x')).toBeUndefined();
  expect(packageOf('\0rolldown/runtime.js', '/x')).toBe('/x/node_modules/rolldown');
});
