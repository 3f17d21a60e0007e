import { createHash } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describePayload, packPayload, payload, readVersion } from './payload.ts';
import { tar } from './tar.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mesosup-payload-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A small installation with a fake runtime. */
async function installation(name: string, release = false): Promise<string> {
  const root = path.join(dir, name);
  for (const part of ['bin', 'lib/commands', 'executors', 'templates', 'cache']) {
    await mkdir(path.join(root, part), { recursive: true });
  }
  await writeFile(path.join(dir, 'runtime'), 'runs'.repeat(10_000), { mode: 0o755 });
  await symlink('../../runtime', path.join(root, 'bin/node'));
  await writeFile(path.join(root, 'LICENSES'), 'free');
  await writeFile(path.join(root, 'lib/cli.js'), 'one');
  await writeFile(path.join(root, 'lib/commands/a.js'), 'x'.repeat(512));
  await writeFile(path.join(root, 'executors/docker'), '#!/bin/sh\n');
  await chmod(path.join(root, 'executors/docker'), 0o700);
  await writeFile(path.join(root, 'templates/ä.conf'), '');
  await writeFile(path.join(root, 'cache/compiled'), 'of this machine alone');
  await writeFile(
    path.join(root, 'package.json'),
    JSON.stringify({ name: 'mesosup', version: '1.2.3', release }),
  );
  return root;
}

function pack(root: string, directory = `${root}.archives`) {
  return packPayload({ root, runtime: path.join(root, 'bin/node'), arch: 'amd64', directory });
}

async function unpack(file: string, name: string): Promise<string> {
  const to = path.join(dir, name);
  await mkdir(to);
  await execa('tar', ['-x', '--no-same-owner', '-f', file, '-C', to]);
  return to;
}

test('the archive contains the installation without caches, with plain modes', async () => {
  const { file, bytes, sha256, version } = await pack(await installation('one'));
  const archive = await readFile(file);
  expect(archive).toHaveLength(bytes);
  expect(createHash('sha256').update(archive).digest('hex')).toBe(sha256);
  expect(path.basename(file)).toBe(`mesosup-${version}-linux-x64.tar.gz`);
  const to = await unpack(file, 'out');
  const names = (await readdir(to, { recursive: true })).sort();
  expect(names).toEqual([
    'LICENSES',
    'bin',
    'bin/node',
    'executors',
    'executors/docker',
    'lib',
    'lib/cli.js',
    'lib/commands',
    'lib/commands/a.js',
    'package.json',
    'templates',
    'templates/ä.conf',
  ]);
  expect(await readFile(path.join(to, 'bin/node'), 'utf8')).toBe('runs'.repeat(10_000));
  const modes = await Promise.all(names.map(async (name) => (await stat(path.join(to, name))).mode & 0o777));
  expect(modes.map((mode) => mode.toString(8))).toEqual(
    '644 755 755 755 755 755 644 755 644 644 755 644'.split(' '),
  );
  expect(await readVersion(to)).toBe(version);
});

test('the same content gives the same bytes, independent of time and place', async () => {
  const one = await installation('one');
  const two = await installation('two');
  await utimes(path.join(two, 'lib/cli.js'), 1, 1);
  await chmod(path.join(two, 'lib/cli.js'), 0o600);
  const [first, second] = [await pack(one), await pack(two)];
  expect(second).toMatchObject({ version: first.version, sha256: first.sha256, bytes: first.bytes });
});

test('packing an unpacked archive gives the same archive', async () => {
  const first = await pack(await installation('one'));
  const again = await pack(await unpack(first.file, 'out'));
  expect(again).toMatchObject({ version: first.version, sha256: first.sha256 });
});

test('packs the manual page and completions if they exist', async () => {
  const root = await installation('one');
  await mkdir(path.join(root, 'share/man/man1'), { recursive: true });
  await writeFile(path.join(root, 'share/man/man1/mesosup.1'), '.TH');
  const to = await unpack((await pack(root)).file, 'out');
  expect(await readFile(path.join(to, 'share/man/man1/mesosup.1'), 'utf8')).toBe('.TH');
});

test('describes a release without packing it, and refuses to send one that has changed', async () => {
  const root = await unpack((await pack(await installation('one', true))).file, 'dist');
  const { sha256, bytes, version, arch } = await payload(root);
  await rm(path.join(dir, 'build'), { recursive: true });
  await writeFile(path.join(root, 'archive.json'), JSON.stringify({ sha256, bytes }));
  expect(await describePayload(root)).toEqual({ sha256, bytes, version, arch });
  await expect(stat(path.join(dir, 'build'))).rejects.toThrow('ENOENT');
  expect(await payload(root)).toMatchObject({ sha256, bytes, version, arch });
  await writeFile(path.join(root, 'lib/cli.js'), 'two');
  await expect(payload(root)).rejects.toThrow(`${root} are no longer those of the release 1.2.3`);
});

test('packs the runtime of this process if npm installed it separately', async () => {
  const root = await installation('dist');
  await rm(path.join(root, 'bin/node'));
  const { execPath } = process;
  process.execPath = path.join(dir, 'runtime');
  try {
    const to = await unpack((await payload(root)).file, 'out');
    expect(await readFile(path.join(to, 'bin/node'), 'utf8')).toBe('runs'.repeat(10_000));
  } finally {
    process.execPath = execPath;
  }
});

test('any change of content changes the version, also in package.json; a release has a fixed version', async () => {
  const root = await installation('one');
  const versions = new Set([(await pack(root)).version]);
  await writeFile(path.join(root, 'lib/cli.js'), 'two');
  versions.add((await pack(root)).version);
  await chmod(path.join(root, 'executors/docker'), 0o600);
  versions.add((await pack(root)).version);
  await writeFile(path.join(root, 'package.json'), JSON.stringify({ version: '1.2.3', more: 1 }));
  versions.add((await pack(root)).version);
  expect(versions.size).toBe(4);
  for (const version of versions) expect(version).toMatch(/^1\.2\.3\+[0-9a-f]{12}$/);
  expect((await pack(await installation('final', true))).version).toBe('1.2.3');
});

test('makes an archive once for a content, again if it is missing, and keeps few old ones', async () => {
  const root = await installation('one');
  const { file } = await pack(root);
  const { mtimeMs, ino } = await stat(file);
  expect((await pack(root)).file).toBe(file);
  expect(await stat(file)).toMatchObject({ mtimeMs, ino });
  await rm(file);
  await pack(root);
  expect((await stat(file)).ino).toBeGreaterThan(0);
  for (const text of ['two', 'three', 'four', 'five']) {
    await writeFile(path.join(root, 'lib/cli.js'), text);
    await pack(root);
  }
  const kept = await readdir(`${root}.archives`);
  expect(kept.filter((name) => name.endsWith('.tar.gz'))).toHaveLength(3);
  expect(kept).toHaveLength(4);
});

test('names an incomplete installation, and leaves no files behind', async () => {
  const root = await installation('one');
  await rm(path.join(root, 'lib'), { recursive: true });
  await expect(pack(root)).rejects.toThrow(`the installation at ${root} is not complete`);
  const other = await installation('two');
  await rm(path.join(other, 'bin/node'));
  await expect(pack(other)).rejects.toThrow('is not complete');
  await expect(stat(`${other}.archives`)).rejects.toThrow('ENOENT');
});

test('a file that grows or shrinks while it is packed is an error', async () => {
  const file = path.join(dir, 'file');
  await writeFile(file, 'ten bytes!');
  for (const size of [9, 11]) {
    const reading = drain(tar([{ name: 'file', mode: 0o644, content: { file, size } }]));
    await expect(reading).rejects.toThrow('was changed while it was being packed');
  }
});

test('refuses a name that is too long for ustar', async () => {
  const reading = drain(tar([{ name: 'x'.repeat(101), mode: 0o644 }]));
  await expect(reading).rejects.toThrow('too long');
});

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}
