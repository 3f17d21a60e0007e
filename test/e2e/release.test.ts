/** What `npm run release` makes: the same bytes from any directory, and every form of it runs. */

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

test('its sums are right, and signed as the script’s key says', async () => {
  const cwd = release.directory;
  await execa('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd });
  const listed = (await readFile(path.join(cwd, 'SHA256SUMS'), 'utf8')).match(/\S+$/gm);
  expect(['SHA256SUMS', 'SHA256SUMS.sig', ...(listed ?? [])].sort()).toEqual((await readdir(cwd)).sort());
  const script = await readFile(path.join(release.out, 'bootstrap.sh'), 'utf8');
  const key = /^RELEASE_KEY='(.*)'$/m.exec(script)?.[1];
  expect(await readFile(`${release.key}.pub`, 'utf8')).toBe(`${key} test\n`);
});

test('the archive is what the installer would put on hosts, with every licence', async () => {
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

test('size and times are printed, and the runtime is most of it', async () => {
  const line =
    /archive [\d.]+ MB; upload [\d.]+ s .*; unpack [\d.]+ s to [\d.]+ MB; runtime [\d.]+ MB, (\d+) %/;
  expect(Number(line.exec(release.printed)?.[1])).toBeGreaterThan(50);
});

test('the npm package installs and runs, on the runtime that npm brings', async () => {
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

test('built again from another directory it is the same to the byte', async () => {
  // Beside the first, so that its libraries can be links to the same files.
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
