import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { scripts } from '../../../test/install/hosts.ts';
import type { Host } from '../../hosts/host.ts';
import { findFilesScript, parseFoundFiles, sendFileScript } from '../script/package-files-script.ts';
import { PackageCache } from './package-cache.ts';

const content = Buffer.alloc(200_001, 'a package\n');
const sha256 = createHash('sha256').update(content).digest('hex');
const control = 'Package: tini\nVersion: 0.19-1\n';
let directory: string;
let cache: PackageCache;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-cache-'));
  cache = new PackageCache(path.join(directory, 'cache'));
  const programs = {
    'apt-config': `echo "archives='${directory}/archives/'"`,
    'dpkg-deb': `printf '%s' '${control}'`,
  };
  await mkdir(path.join(directory, 'bin'));
  for (const [name, line] of Object.entries(programs))
    await writeFile(path.join(directory, 'bin', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
});
afterEach(() => rm(directory, { recursive: true }));

/** This machine, where programs for packages are replaced. */
const host: Host = {
  name: 'h1',
  close: async () => {},
  run: async (script, options) => {
    const input = script.replace('SYSTEM_PATH=', `SYSTEM_PATH=${directory}/bin:`);
    const child = execa('sh', { input, reject: false });
    const { onLine } = options ?? {};
    if (onLine && child.stdout) createInterface({ input: child.stdout }).on('line', onLine);
    const { stdout, exitCode } = await child;
    return { stdout, stderr: '', code: exitCode ?? null, signal: null };
  },
};

async function found() {
  await mkdir(path.join(directory, 'archives'), { recursive: true });
  await writeFile(path.join(directory, 'archives/tini_0.18_amd64.deb'), 'another version');
  await writeFile(path.join(directory, 'archives/tini_0.19-1_amd64.deb'), content);
  const wanted = [
    { name: 'tini', version: '0.19-1', sha256 },
    { name: 'gone', version: '1', sha256: '0'.repeat(64) },
  ];
  const { stdout } = await host.run(findFilesScript(scripts, wanted));
  const [one] = parseFoundFiles(stdout, wanted);
  if (one === undefined) throw new Error(`nothing was found: ${stdout}`);
  return one;
}

test('copies a file of any bytes from the cache of a host, and finds it again', async () => {
  expect(await cache.find(sha256)).toBeUndefined();
  const one = await found();
  expect(one).toMatchObject({ name: 'tini', version: '0.19-1', bytes: content.length });
  const { path: from, ...file } = one;
  await cache.fetch(host, sendFileScript(scripts, from), file);
  expect(await cache.find(sha256)).toEqual(file);
  expect(await readFile(cache.file(sha256))).toEqual(content);
});

test('refuses a file that changes while it is copied, and keeps nothing of it', async () => {
  const one = await found();
  await writeFile(one.path, 'changed');
  const fetching = () => cache.fetch(host, sendFileScript(scripts, one.path), one);
  await expect(fetching()).rejects.toThrow('h1 did not send the package tini 0.19-1 completely');
  await rm(one.path);
  await expect(fetching()).rejects.toThrow('h1 did not send the package tini 0.19-1 completely');
  expect(await readdir(path.join(directory, 'cache'))).toEqual([]);
  expect(await cache.find(sha256)).toBeUndefined();
});

test('no text but a SHA-256 is a path in the cache', () => {
  for (const text of ['', '../x', `${'a'.repeat(64)}/..`, 'A'.repeat(64)]) {
    expect(() => cache.file(text)).toThrow(TypeError);
  }
  expect(PackageCache.ofUser({ XDG_CACHE_HOME: '/x' }).file(sha256)).toBe(
    `/x/mesosup/packages/${sha256}.deb`,
  );
});

test('copies a file of this machine, and refuses one with another SHA-256', async () => {
  const from = path.join(directory, 'own.deb');
  await writeFile(from, content);
  const file = { name: 'tini', version: '0.19-1', sha256, bytes: content.length, control };
  await cache.copy(from, file);
  expect(await cache.find(sha256)).toEqual(file);
  await writeFile(from, 'changed');
  await expect(cache.copy(from, file)).rejects.toMatchObject({ path: from });
});

test('saves an image once for its id and name, and keeps nothing of one that fails', async () => {
  let saved = 0;
  async function* save() {
    saved += 1;
    yield Buffer.from('lay');
    yield Buffer.from('ers');
  }
  const image = { sha256: createHash('sha256').update('layers').digest('hex'), bytes: 6 };
  expect(await cache.image('sha256:1', 'redis:7', save)).toEqual(image);
  expect(await cache.image('sha256:1', 'redis:7', save)).toEqual(image);
  expect(saved).toBe(1);
  expect(await readFile(cache.imageFile(image.sha256), 'utf8')).toBe('layers');
  await cache.image('sha256:1', 'redis:8', save);
  await cache.image('sha256:2', 'redis:7', save);
  expect(saved).toBe(3);
  async function* fail() {
    yield Buffer.from('lay');
    throw new Error('Docker is gone');
  }
  await expect(cache.image('sha256:3', 'redis:7', fail)).rejects.toThrow('Docker is gone');
  expect((await readdir(path.join(directory, 'cache'))).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('receives the archive of an image beside packages', async () => {
  const receiver = await cache.receiveImage(sha256);
  await receiver.write(content);
  await receiver.keep();
  expect(await readFile(cache.imageFile(sha256))).toEqual(content);
  expect(await cache.find(sha256)).toBeUndefined();
});
