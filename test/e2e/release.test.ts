/** The files of `npm run release`: reproducible, and runnable in each package format. */

import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packPayload } from '../../src/install/edge/payload.ts';
import { root } from './demo-cluster.ts';
import { buildRelease, type ReleaseBuild, releaseBuild } from './support/release-build.ts';

let release: ReleaseBuild;
let work: string;
let archive: string;
let tree: string;

beforeAll(async () => {
  release = await releaseBuild();
  work = await mkdtemp(path.join(tmpdir(), 'mesosup-release-'));
  archive = path.join(release.directory, `mesosup-${release.version}-linux-${process.arch}.tar.gz`);
  tree = path.join(work, 'tree');
  await mkdir(tree);
  await execa('tar', ['-x', '-f', archive, '-C', tree]);
});
afterAll(() => rm(work, { recursive: true }));

test('has the right checksums, signed with the key in the script', async () => {
  const cwd = release.directory;
  await execa('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd });
  const listed = (await readFile(path.join(cwd, 'SHA256SUMS'), 'utf8')).match(/\S+$/gm);
  expect(['SHA256SUMS', 'SHA256SUMS.sig', ...(listed ?? [])].sort()).toEqual((await readdir(cwd)).sort());
  const script = await readFile(path.join(release.out, 'bootstrap.sh'), 'utf8');
  const key = /^RELEASE_KEY='(.*)'$/m.exec(script)?.[1];
  expect(await readFile(`${release.key}.pub`, 'utf8')).toBe(`${key} test\n`);
});

test('has the same archive that the installer copies to hosts, with every licence', async () => {
  const again = await packPayload({
    root: tree,
    runtime: path.join(tree, 'bin/node'),
    arch: process.arch === 'x64' ? 'amd64' : 'arm64',
    directory: path.join(work, 'again'),
  });
  expect(Buffer.compare(await readFile(again.file), await readFile(archive))).toBe(0);
  const licences = await readFile(path.join(tree, 'LICENSES'), 'utf8');
  const { dependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  for (const name of ['mesosup', ...Object.keys(dependencies)]) expect(licences).toContain(`\n  ${name} `);
  expect(licences).toContain('Node.js, the runtime in bin/node');
});

test('prints size and times, with the runtime as the largest part', async () => {
  const line =
    /archive [\d.]+ MB; upload [\d.]+ s .*; unpack [\d.]+ s to [\d.]+ MB; runtime [\d.]+ MB, (\d+) %/;
  expect(Number(line.exec(release.printed)?.[1])).toBeGreaterThan(50);
});

test('has an npm package that installs, and runs with the runtime from npm', async () => {
  const prefix = path.join(work, 'prefix');
  const tgz = path.join(release.directory, `mesosup-${release.version}.tgz`);
  const offline = ['--offline', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  await execa('npm', ['install', '--global', '--prefix', prefix, ...offline, tgz]);
  const mesosup = path.join(prefix, 'bin/mesosup');
  const without = await execa(mesosup, ['--version'], { reject: false });
  expect(without).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('its runtime is missing') });
  const runtime = `node-linux-${process.arch}`;
  const modules = path.join(prefix, 'lib/node_modules');
  await symlink(path.join(root, 'node_modules', runtime), path.join(modules, runtime));
  expect((await execa(mesosup, ['--version'])).stdout).toContain(`mesosup/${release.version} `);
  const { optionalDependencies } = JSON.parse(
    await readFile(path.join(modules, 'mesosup/package.json'), 'utf8'),
  );
  expect(optionalDependencies[runtime]).toMatch(/^\d+\.\d+\.\d+$/);
});

test('is identical if it is built in another directory', async () => {
  // In the same file system, so that the libraries can be hard links.
  const copy = path.join(root, 'build/second-checkout');
  await rm(copy, { recursive: true, force: true });
  try {
    await mkdir(copy, { recursive: true });
    const parts = [
      'src',
      'templates',
      'bin',
      'package.json',
      'package-lock.json',
      'LICENSE',
      'tsconfig.json',
    ];
    await execa('cp', ['-r', ...parts, copy], { cwd: root });
    await execa('cp', ['-al', path.join(root, 'node_modules'), copy]);
    const out = path.join(work, 'second');
    await buildRelease(copy, out, release.key);
    const names = (await readdir(release.out, { recursive: true })).sort();
    expect((await readdir(out, { recursive: true })).sort()).toEqual(names);
    const { stdout } = await execa('diff', ['-rq', release.out, out], { reject: false });
    expect(stdout).toBe('');
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
});
