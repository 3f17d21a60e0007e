import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CommandUri } from '../../mesos/types.ts';
import { fetchUris, uriProblem } from './fetcher.ts';

let root: string;
let sandbox: string;
let outside: string;
let log: string[];
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mesosup-fetcher-'));
  sandbox = path.join(root, 'sandbox');
  outside = path.join(root, 'outside');
  for (const directory of [sandbox, outside, path.join(root, 'files')]) mkdirSync(directory);
  log = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function fetchAll(...uris: CommandUri[]): Promise<void> {
  await fetchUris({
    ...{ uris, sandbox, containerId: 'c', user: undefined, cache: path.join(root, 'cache/user') },
    ...{ signal: new AbortController().signal, log: (line) => log.push(line) },
  });
}

test.each([
  [{ value: 'http://h/a' }, undefined],
  [{ value: 'http://h' }, 'Malformed URI (missing path): http://h'],
  [{ value: 'http://h/' }, 'Malformed URI (missing path): http://h/'],
  [{ value: '/a\\b' }, 'Illegal characters in URI'],
  [{ value: '/a', output_file: 'a/b' }, undefined],
  [{ value: '/a', output_file: '' }, 'URI output file path is empty'],
  [{ value: '/a', output_file: '/b' }, 'URI output file must be within the sandbox directory'],
  [{ value: '/a', output_file: 'a/../../b' }, 'URI output file must be within the sandbox directory'],
])('checks %j', (uri, problem) => {
  expect(uriProblem(uri)).toBe(problem);
});

test('an archive can’t lead later files out of the sandbox by its links', async () => {
  const files = path.join(root, 'files');
  symlinkSync(outside, path.join(files, 'd'));
  symlinkSync(path.join(outside, 'new'), path.join(files, 'f'));
  const links = path.join(root, 'links.tar');
  execFileSync('tar', ['-C', files, '-cf', links, '.']);
  rmSync(path.join(files, 'd'));
  mkdirSync(path.join(files, 'd'));
  writeFileSync(path.join(files, 'd/x'), 'x');
  const through = path.join(root, 'through.tar');
  execFileSync('tar', ['-C', files, '-cf', through, 'd/x']);
  await expect(fetchAll({ value: links }, { value: through })).rejects.toThrow('exited with status 1');
  const plain = path.join(files, 'plain');
  writeFileSync(plain, 'plain');
  await expect(fetchAll({ value: plain, output_file: 'f' })).rejects.toThrow('exited with status 1');
  await expect(fetchAll({ value: plain, output_file: 'd/y' })).rejects.toThrow('exited with status 1');
  expect(log.at(-1)).toMatch(/is not a directory$/);
  expect(readdirSync(outside)).toEqual([]);
});

test('archives are merged, and the later file wins', async () => {
  const files = path.join(root, 'files');
  mkdirSync(path.join(files, 'd'));
  for (const [name, text] of [
    ['one', 'first'],
    ['two', 'second'],
  ] as const) {
    writeFileSync(path.join(files, 'd', name), text);
    writeFileSync(path.join(files, 'd/both'), text);
    execFileSync('tar', ['-C', files, '-cJf', path.join(root, `${name}.tar.xz`), 'd']);
    rmSync(path.join(files, 'd', name));
  }
  await fetchAll({ value: path.join(root, 'one.tar.xz') }, { value: path.join(root, 'two.tar.xz') });
  const texts = ['one', 'two', 'both'].map((name) => readFileSync(path.join(sandbox, 'd', name), 'utf8'));
  expect(texts).toEqual(['first', 'second', 'second']);
});

test('an archive with .. in a name fails', async () => {
  writeFileSync(path.join(root, 'up'), 'up');
  const archive = path.join(root, 'up.tgz');
  execFileSync('tar', ['-C', path.join(root, 'files'), '-czPf', archive, '../up']);
  rmSync(path.join(root, 'up'));
  await expect(fetchAll({ value: archive })).rejects.toThrow(
    "Failed to fetch all URIs for container 'c': exited with status 1",
  );
  expect(existsSync(path.join(root, 'up'))).toBe(false);
});

test('a cached file is taken from the cache', async () => {
  const file = path.join(root, 'files/a');
  writeFileSync(file, 'first');
  await fetchAll({ value: file, cache: true });
  writeFileSync(file, 'second');
  await fetchAll({ value: file, cache: true, output_file: 'b' }, { value: file, output_file: 'c' });
  expect(['a', 'b', 'c'].map((name) => readFileSync(path.join(sandbox, name), 'utf8'))).toEqual([
    'first',
    'first',
    'second',
  ]);
});
