/**
 * Runs the apply script with this machine's apt and dpkg in an overlay of its files, and installs small packages from a
 * repository that has moved on: by pins, by files that were sent, and from these files alone.
 */

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PackageFile } from '../../src/install/package-file.ts';
import type { HostPlan } from '../../src/install/plan.ts';
import { applyScript } from '../../src/install/script/apply-script.ts';
import { parseRunEvent } from '../../src/install/script/parse-events.ts';
import { startRunScript } from '../../src/install/script/run-scripts.ts';
import { scripts } from '../install/hosts.ts';

/** `$1` contains the repository and the files that were sent, `$2` is the script that starts the run. */
const ON_HOST = `set -e
mount -t tmpfs tmpfs "$1/overlay"
cd "$1/overlay"
mkdir up work all
mount -t overlay overlay -o "lowerdir=/,upperdir=up,workdir=work" all
for name in proc dev; do mount --rbind "/$name" "all/$name"; done
mount -t tmpfs tmpfs all/run
mkdir -p all/srv/lab
mount --bind "$1/lab" all/srv/lab
rm -rf all/etc/apt/sources.list.d/* all/etc/apt/preferences.d/* all/var/lib/mesosup all/opt/mesosup
echo 'deb [trusted=yes] file:/srv/lab/repository ./' >all/etc/apt/sources.list
mkdir -p all/opt/mesosup
[ ! -e "$1/lab/docker" ] || cp "$1/lab/docker" all/usr/local/sbin/docker
cp -R "$1/sent" all/opt/mesosup/.upload
chroot all sh -c "$2"
echo '--'
chroot all dpkg-query -W 'lab-*' 2>/dev/null || :
chroot all sh -c 'apt-mark showauto lab-base; cat /var/lib/mesosup/installed-packages /var/lib/mesosup/images/*; ls -d /opt/mesosup/.upload /var/lib/apt/lists/*mesosup* /var/lib/mesosup/runs/*/files' 2>/dev/null || :`;

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mesosup-packages-'));
  for (const name of ['overlay', 'lab', 'sent']) await mkdir(path.join(root, name), { mode: 0o755 });
});
afterEach(() => rm(root, { recursive: true }));

/** Replaces the packages of the repository; `lab-main` depends on `lab-base`. */
async function offer(...versions: string[]): Promise<PackageFile[]> {
  const at = path.join(root, 'lab/repository');
  await rm(at, { recursive: true, force: true });
  const made: PackageFile[] = [];
  for (const version of versions) {
    for (const [name = '', depends] of [
      ['lab-base', ''],
      ['lab-main', 'Depends: lab-base\n'],
    ]) {
      const tree = path.join(at, `${name}-${version}`);
      await mkdir(path.join(tree, 'DEBIAN'), { recursive: true });
      const control = `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: Lab <lab@localhost>\n${depends}Description: empty\n`;
      await writeFile(path.join(tree, 'DEBIAN/control'), control);
      const file = `${name}_${version}_all.deb`;
      // The same version always has the same bytes.
      await execa('dpkg-deb', ['--root-owner-group', '-Zgzip', '-b', tree, path.join(at, file)], {
        env: { SOURCE_DATE_EPOCH: '1' },
      });
      const deb = await readFile(path.join(at, file));
      const sha256 = createHash('sha256').update(deb).digest('hex');
      const more = `Filename: ./${file}\nSize: ${deb.length}\nSHA256: ${sha256}\n\n`;
      await writeFile(path.join(at, 'Packages'), control + more, { flag: 'a' });
      await writeFile(path.join(root, 'sent', sha256), deb);
      made.push({ name, version, sha256, bytes: deb.length, control });
    }
  }
  return made;
}

/** Installs `lab-main`. @returns the failure, and what is on the host afterwards */
async function install(
  version: string | undefined,
  more: Partial<HostPlan>,
): Promise<{ failure?: string; lines: string[] }> {
  const resource = {
    kind: 'package',
    name: 'lab-main',
    ...(version !== undefined && { version }),
  } as const;
  const item = { id: 'package:lab-main', action: 'install', title: '', diff: [], resource } as const;
  return run({ host: 'h1', items: [item], basis: '', ...more });
}

/** Applies a plan. */
async function run(plan: HostPlan): Promise<{ failure?: string; lines: string[] }> {
  const options = { run: 'r-1', command: 'install', cluster: 'c', who: 'me' } as const;
  const script = applyScript(scripts, plan, options);
  const start = startRunScript(scripts, 'r-1', Buffer.byteLength(script));
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-c', ON_HOST, 'sh', root, start], {
    input: script,
    env: { HOME: '/root' },
  });
  const [events = '', rest = ''] = stdout.split('\n--\n');
  const failed = events
    .split('\n')
    .map(parseRunEvent)
    .find((event) => event?.event === 'failed');
  return {
    ...(failed?.event === 'failed' && { failure: failed.message }),
    lines: rest.split('\n').filter(Boolean),
  };
}

const pinsOf = (files: readonly PackageFile[]) =>
  files.map(({ name, version, sha256 }) => ({ name, version, sha256 }));
/** Both packages in one version, the dependency marked as such, and their record; no other files are left. */
const both = (files: readonly PackageFile[]) => [
  ...files.map(({ name, version }) => `${name}\t${version}`),
  'lab-base',
  ...files.map(({ name, version, sha256 }) =>
    expect.stringMatching(new RegExp(`^${name} ${version} ${sha256} \\d+$`)),
  ),
];

/** The files that were sent stay for the next run. */
const NOTHING = ['/opt/mesosup/.upload'];

test('without a lock the newest packages are installed and recorded', async () => {
  const files = await offer('1', '2');
  expect(await install(undefined, {})).toEqual({ lines: both(files.slice(2)) });
});

test('pinned versions are installed although the repository has newer ones', async () => {
  const [base, main] = await offer('1', '2');
  if (base === undefined || main === undefined) throw new Error('nothing was made');
  expect(await install(undefined, { pins: pinsOf([base, main]) })).toEqual({ lines: both([base, main]) });
});

test('a pinned version with another file is refused, and nothing is installed', async () => {
  const files = await offer('1');
  const sha256 = 'a'.repeat(64);
  const { failure, lines } = await install('1', { pins: pinsOf(files.map((one) => ({ ...one, sha256 }))) });
  expect(failure).toContain(`lab-base 1 with the SHA-256 ${sha256}, and apt fetched ${files[0]?.sha256}`);
  expect(lines).toEqual(NOTHING);
});

test('a pinned version that the repository lacks is a failure, and nothing is installed', async () => {
  const old = await offer('1');
  await offer('2');
  const { failure, lines } = await install('1', { pins: pinsOf(old) });
  expect(failure).toContain("Version '1' for 'lab-main' was not found");
  expect(lines).toEqual(NOTHING);
  const dependency = await install(undefined, { pins: pinsOf(old.slice(0, 1)) });
  expect(dependency.failure).toBe(
    'lab-main: apt would not install what other hosts have: lab-base 1, and apt chose 2; apt changed nothing',
  );
  expect(dependency.lines).toEqual(NOTHING);
});

test.each([{}, { onlyFiles: true } as const])(
  'versions that the repository lacks are installed from files that were sent: %j',
  async (only) => {
    const files = await offer('1');
    await offer('2');
    expect(await install('1', { pins: pinsOf(files), files, ...only })).toEqual({ lines: both(files) });
  },
);

test('a plan from files alone uses no repository', async () => {
  const files = await offer('1');
  const { failure, lines } = await install('1', {
    files: files.slice(1),
    pins: pinsOf(files),
    onlyFiles: true,
  });
  expect(failure).toContain('lab-base');
  expect(lines).toEqual(NOTHING);
});

/** Stands for Docker: what it loads is in the directory of the lab. */
const DOCKER = `#!/bin/sh
case $1 in
  load) [ ! -e /srv/lab/full ] || { echo 'no space left' >&2; exit 1; }; cat "$3" >/srv/lab/loaded ;;
  image) [ -e /srv/lab/loaded ] && echo sha256:abc ;;
esac
`;

test('an image that was sent is loaded and recorded, and its archive is removed', async () => {
  await offer('1');
  const content = 'layers';
  const sha256 = createHash('sha256').update(content).digest('hex');
  const resource = { kind: 'image', name: 'redis:7', sha256, bytes: content.length } as const;
  const item = { id: 'image:redis:7', action: 'create', title: '', diff: [], resource } as const;
  const plan = { host: 'h1', items: [item], basis: '' };
  const send = () => writeFile(path.join(root, 'sent', sha256), content);
  await writeFile(path.join(root, 'lab/docker'), DOCKER, { mode: 0o755 });
  await send();
  await writeFile(path.join(root, 'lab/full'), '');
  const full = await run(plan);
  expect(full.failure).toBe("redis:7: Docker can't load the image: no space left");
  await rm(path.join(root, 'lab/full'));
  expect(await run(plan)).toEqual({ lines: ['redis:7 sha256:abc'] });
  expect(await readFile(path.join(root, 'lab/loaded'), 'utf8')).toBe(content);
  await writeFile(path.join(root, 'sent', sha256), 'other');
  expect((await run(plan)).failure).toContain(`has the SHA-256`);
});
