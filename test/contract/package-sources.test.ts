/** Runs the scripts about packages with this machine's apt and a repository of two small packages, and changes nothing. */

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundlePins } from '../../src/install/bundle/manifest.ts';
import {
  parseResolved,
  type ResolvedFile,
  resolveScript,
  sendUriScript,
} from '../../src/install/bundle/resolve.ts';
import type { Pin } from '../../src/install/package-file.ts';
import { parseSimulation } from '../../src/install/script/parse-simulation.ts';
import { simulationScript } from '../../src/install/script/simulation-script.ts';
import type { SimulationRequest } from '../../src/install/simulation-request.ts';
import { scripts } from '../install/hosts.ts';

/** `$1` contains the directories of apt, and `$2` is the script. */
const ON_HOST = `mount --bind "$1/apt" /etc/apt && mount --bind "$1/lists" /var/lib/apt/lists || exit
cd / && exec sh -c "$2"`;

let root: string;
let files: readonly ResolvedFile[];

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mesosup-sources-'));
  await Promise.all(
    ['apt/apt.conf.d', 'apt/sources.list.d', 'lists/partial', 'repository'].map((name) =>
      mkdir(path.join(root, name), { recursive: true }),
    ),
  );
  // apt's own user can't enter the directory of a test.
  await writeFile(path.join(root, 'apt/apt.conf.d/user'), 'APT::Sandbox::User "root";\n');
  await offer('1');
  const request = { packages: [wanted('lab-main')], sources: [], keys: [], pins: [] };
  const found = parseResolved(await onHost(resolveScript(scripts, request)));
  if ('failure' in found) throw new Error(found.failure);
  files = found;
});
afterAll(() => rm(root, { recursive: true }));

const wanted = (name: string) => ({ kind: 'package' as const, name });

async function onHost(script: string): Promise<string> {
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-c', ON_HOST, 'sh', root, script], {
    env: { HOME: '/root' },
    maxBuffer: 2 ** 26,
  });
  return stdout;
}

/** Replaces the packages of the repository; `lab-main` depends on `lab-base`. */
async function offer(...versions: string[]): Promise<void> {
  const at = path.join(root, 'repository');
  await rm(at, { recursive: true });
  for (const version of versions) {
    for (const [name, depends] of [
      ['lab-main', 'Depends: lab-base\n'],
      ['lab-base', ''],
    ]) {
      const tree = path.join(at, `${name}-${version}`);
      await mkdir(path.join(tree, 'DEBIAN'), { recursive: true });
      const control = `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: Lab <lab@localhost>\n${depends}Description: empty\n`;
      await writeFile(path.join(tree, 'DEBIAN/control'), control);
      await execa('dpkg-deb', [
        '--root-owner-group',
        '-Zgzip',
        '-b',
        tree,
        `${at}/${name}_${version}_all.deb`,
      ]);
      const deb = await readFile(`${at}/${name}_${version}_all.deb`);
      const sum = createHash('sha256').update(deb).digest('hex');
      const more = `Filename: ./${name}_${version}_all.deb\nSize: ${deb.length}\nSHA256: ${sum}\n\n`;
      await writeFile(`${at}/Packages`, control + more, { flag: 'a' });
    }
  }
  await writeFile(path.join(root, 'apt/sources.list'), `deb [trusted=yes] file:${at} ./\n`);
}

async function simulate(more: Partial<SimulationRequest>) {
  const request = { packages: [{ name: 'lab-main' }], sources: [], ...more };
  return parseSimulation(await onHost(simulationScript(scripts, request)), request);
}

const pin = (name: string, version: string): Pin => ({ name, version, sha256: 'a'.repeat(64) });

test('the packages of a bundle are resolved with their dependencies, and their files can be fetched', async () => {
  expect(files.map(({ name, version }) => `${name} ${version}`)).toEqual(['lab-base 1', 'lab-main 1']);
  for (const file of files) {
    const lines = (await onHost(sendUriScript(scripts, file))).split('\n');
    const bytes = Buffer.concat(lines.map((line) => Buffer.from(line, 'base64')));
    expect(bytes.length).toBe(file.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
  }
});

test('a package file that is in no repository is resolved with its dependencies, and refused if it is another one', async () => {
  const deb = path.join(root, 'own.deb');
  const tree = path.join(root, 'own');
  await mkdir(path.join(tree, 'DEBIAN'), { recursive: true });
  const control = `Package: lab-own\nVersion: 7\nArchitecture: all\nMaintainer: Lab <lab@localhost>\nDepends: lab-base\nDescription: empty\n`;
  await writeFile(path.join(tree, 'DEBIAN/control'), control);
  await execa('dpkg-deb', ['--root-owner-group', '-Zgzip', '-b', tree, deb]);
  const own = createHash('sha256')
    .update(await readFile(deb))
    .digest('hex');
  const resolveOwn = async (sha256: string) => {
    const packages = [{ ...wanted('lab-own'), file: { url: `file:${deb}` }, sha256 }];
    return parseResolved(await onHost(resolveScript(scripts, { packages, sources: [], keys: [], pins: [] })));
  };
  const found = await resolveOwn(own);
  if ('failure' in found) throw new Error(found.failure);
  expect(found.map(({ name, version }) => `${name} ${version}`)).toEqual(['lab-base 1', 'lab-own 7']);
  expect(found[1]).toMatchObject({ uri: `file:${deb}`, sha256: own });
  expect(found[1]?.control).toContain('Depends: lab-base\n');
  expect(await resolveOwn('0'.repeat(64))).toEqual({ failure: expect.stringContaining('another SHA-256') });
});

test('a package that the host makes takes the place of one of a repository, and no bundle has it', async () => {
  const control =
    'Package: lab-instead\nVersion: 1\nArchitecture: all\nMaintainer: Lab <lab@localhost>\nProvides: lab-base\nDescription: empty\n';
  const apt = await simulate({ made: [{ name: 'lab-instead', control }] });
  expect(apt).toMatchObject({ obstacles: [], changes: [], candidates: { 'lab-main': '1' }, failure: '' });
  expect((await simulate({})).changes).toMatchObject([{ name: 'lab-base', wantedBy: 'lab-main' }]);
  const packages = [{ ...wanted('lab-instead'), file: { control } }, wanted('lab-main')];
  const found = parseResolved(
    await onHost(resolveScript(scripts, { packages, sources: [], keys: [], pins: [] })),
  );
  if ('failure' in found) throw new Error(found.failure);
  expect(found.map(({ name }) => name)).toEqual(['lab-main']);
});

test('what a made package needs is a change of the plan that it causes', async () => {
  const control =
    'Package: lab-more\nVersion: 1\nArchitecture: all\nMaintainer: Lab <lab@localhost>\nDepends: lab-main\nDescription: empty\n';
  const apt = await simulate({ packages: [{ name: 'lab-base' }], made: [{ name: 'lab-more', control }] });
  expect(apt.changes).toMatchObject([{ name: 'lab-main', action: 'install', wantedBy: 'lab-more' }]);
});

test('a package that no repository has is a failure with the message of apt', async () => {
  const request = { packages: [wanted('lab-none')], sources: [], keys: [], pins: [] };
  expect(parseResolved(await onHost(resolveScript(scripts, request)))).toEqual({
    failure: expect.stringContaining('lab-none'),
  });
});

test('a bundle is the only repository, and a missing dependency is an obstacle', async () => {
  await offer('2');
  const pins = bundlePins(files);
  const found = await simulate({ files, pins, onlyFiles: true });
  expect(found.obstacles).toEqual([]);
  expect(found.candidates).toEqual({ 'lab-main': '1' });
  expect(found.changes).toMatchObject([{ name: 'lab-base', action: 'install', to: '1' }]);
  expect(found.downloadBytes).toBe(0);
  const some = files.filter(({ name }) => name === 'lab-main');
  const cut = await simulate({ files: some, pins: bundlePins(some), onlyFiles: true });
  expect(cut.obstacles).toMatchObject([{ kind: 'unmet', name: 'lab-main' }]);
  const none = await simulate({ onlyFiles: true });
  expect(none.obstacles).toEqual([{ kind: 'absent', name: 'lab-main' }]);
});

test('apt takes pinned versions although the repository has newer ones, also of dependencies', async () => {
  await offer('1', '2');
  const free = await simulate({});
  expect([free.candidates, free.changes[0]?.to]).toEqual([{ 'lab-main': '2' }, '2']);
  const found = await simulate({ pins: [pin('lab-base', '1'), pin('lab-main', '1')] });
  expect(found.obstacles).toEqual([]);
  expect(found.missingPins).toBeUndefined();
  expect([found.candidates, found.changes[0]?.to]).toEqual([{ 'lab-main': '1' }, '1']);
});

test('pinned versions that the repository no longer has are missing, and are installed from files', async () => {
  await offer('2');
  const pins = [pin('lab-base', '1'), pin('lab-main', '1')];
  const found = await simulate({ packages: [{ name: 'lab-main', version: '1' }], pins });
  expect(found.missingPins).toEqual(['lab-base', 'lab-main']);
  expect(found.obstacles).toMatchObject([{ kind: 'version', name: 'lab-main', wanted: '1', locked: true }]);
  const dependency = await simulate({ pins: pins.slice(0, 1) });
  expect(dependency.obstacles).toMatchObject([{ kind: 'version', name: 'lab-base', available: ['2'] }]);
  const supplied = await simulate({ packages: [{ name: 'lab-main', version: '1' }], pins, files });
  expect([supplied.obstacles, supplied.missingPins]).toEqual([[], undefined]);
  expect([supplied.candidates, supplied.changes[0]?.to]).toEqual([{ 'lab-main': '1' }, '1']);
});

test('a pin of the owner comes before a locked version', async () => {
  await offer('1', '2');
  await mkdir(path.join(root, 'apt/preferences.d'), { recursive: true });
  const preferences = 'Package: lab-base\nPin: version 2\nPin-Priority: 999\n';
  await writeFile(path.join(root, 'apt/preferences.d/own'), preferences);
  const found = await simulate({ pins: [pin('lab-base', '1')] });
  expect(found.obstacles).toMatchObject([
    { kind: 'version', name: 'lab-base', wanted: '1', available: ['2'] },
  ]);
});
