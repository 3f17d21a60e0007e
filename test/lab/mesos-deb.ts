/**
 * The Mesos package that hosts install: laid out like ClusterD's `aventer-mesos` (same paths, units and wrapper), with
 * the embedded master and agent, and the Node runtime they need, in /usr/libexec/mesos. MESOSUP_TEST_MESOS_DEB names
 * a real package to be used instead.
 */

import { access, chmod, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

export const PACKAGE = 'aventer-mesos';

const HERE = path.join(import.meta.dirname, 'mesos-package');
const DIST = path.resolve(import.meta.dirname, '../../dist');
const VERSION = '1.11.0-0.7.1.lab1';

/** Libraries of the embedded Mesos' runtime. */
const DEPENDS = 'libatomic1, libc6 (>= 2.28), libgcc-s1, libstdc++6';

/** Sources of the files of the package. */
const PROGRAMS = ['mesos-init-wrapper', 'mesos-master', 'mesos-agent'];
const UNITS = ['mesos-master.service', 'mesos-agent.service'];
const BUNDLES = ['master.js', 'agent.js', 'command-executor.js'];

/** A package file on this machine. */
export interface Deb {
  /** The file's name: `aventer-mesos_1.11.0-0.7.1.lab1_amd64.deb`. */
  name: string;
  version: string;
  file: string;
}

export function realDeb(): string | undefined {
  return process.env.MESOSUP_TEST_MESOS_DEB || undefined;
}

/** Lists the files from which the packages are made. @throws Error with the remedy if the build is missing */
export async function debInputs(): Promise<string[]> {
  const real = realDeb();
  if (real !== undefined) return [real];
  const bundles = [...BUNDLES.map((name) => path.join(DIST, 'lib', name)), path.join(DIST, 'bin/node')];
  await Promise.all(bundles.map((file) => access(file).catch(noBuild)));
  return [...bundles, ...[...PROGRAMS, ...UNITS].map((name) => path.join(HERE, name))];
}

function noBuild(cause: unknown): never {
  throw new Error('the lab installs the built master and agent: run npm run build first', { cause });
}

/**
 * Makes two packages in a directory, of which the second is an upgrade of the first.
 *
 * @param work an empty directory for the work
 */
export async function buildDebs(directory: string, work: string): Promise<{ current: Deb; next: Deb }> {
  const tree = path.join(work, 'tree');
  const real = realDeb();
  if (real === undefined) await makeTree(tree);
  else await execa('dpkg-deb', ['-R', real, tree]);
  const control = path.join(tree, 'DEBIAN/control');
  const version = /^Version: (\S+)$/m.exec(await readFile(control, 'utf8'))?.[1] ?? '';
  const arch = /^Architecture: (\S+)$/m.exec(await readFile(control, 'utf8'))?.[1] ?? '';
  const deb = (v: string): Deb => {
    const name = `${PACKAGE}_${v}_${arch}.deb`;
    return { name, version: v, file: path.join(directory, name) };
  };
  const current = deb(version);
  const next = deb(nextVersion(version));
  if (real === undefined) await pack(tree, current.file);
  else await copyFile(real, current.file);
  await writeFile(
    control,
    (await readFile(control, 'utf8')).replace(/^Version: .*$/m, `Version: ${next.version}`),
  );
  await pack(tree, next.file);
  return { current, next };
}

/** Increments the last number. */
function nextVersion(version: string): string {
  return version.replace(/\d+(?=\D*$)/, (last) => String(Number(last) + 1));
}

/** Fast instead of small, since the file stays on this machine. Debian 11's dpkg does not support zstd. */
async function pack(tree: string, file: string): Promise<void> {
  await execa('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '-b', tree, file]);
}

async function makeTree(tree: string): Promise<void> {
  const put = async (from: string, to: string, mode: number) => {
    const file = path.join(tree, to);
    await mkdir(path.dirname(file), { recursive: true });
    await cp(from, file, { dereference: true });
    await chmod(file, mode);
  };
  for (const name of PROGRAMS) await put(path.join(HERE, name), `usr/bin/${name}`, 0o755);
  for (const name of UNITS) await put(path.join(HERE, name), `lib/systemd/system/${name}`, 0o644);
  for (const name of BUNDLES) await put(path.join(DIST, 'lib', name), `usr/libexec/mesos/lib/${name}`, 0o644);
  await put(path.join(DIST, 'bin/node'), 'usr/libexec/mesos/bin/node', 0o755);
  await writeFile(path.join(tree, 'usr/libexec/mesos/package.json'), '{ "type": "module" }\n');
  const { stdout: arch } = await execa('dpkg', ['--print-architecture']);
  const control = [
    `Package: ${PACKAGE}`,
    `Version: ${VERSION}`,
    `Architecture: ${arch}`,
    'Maintainer: The lab <lab@localhost>',
    `Depends: ${DEPENDS}`,
    'Section: misc',
    'Priority: optional',
    'Description: Mesos for tests',
    ' The embedded master and agent, laid out like the packages of ClusterD.',
    '',
  ];
  await mkdir(path.join(tree, 'DEBIAN'));
  await writeFile(path.join(tree, 'DEBIAN/control'), control.join('\n'));
  await execa('chmod', ['-R', 'go-w,a+rX', tree]);
}
