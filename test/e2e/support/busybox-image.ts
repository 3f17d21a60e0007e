/** Small images for tests, built from the distribution's static busybox without a registry. */

import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

/** Exposes no port. */
export const BUSYBOX = 'mesosup-test/busybox:1';
/** Exposes 9000/tcp, 7000/tcp and 53/udp, in this order. */
export const WITH_PORTS = 'mesosup-test/ports:1';

const PROGRAMS = [
  'sh',
  'sleep',
  'echo',
  'cat',
  'env',
  'kill',
  'seq',
  'head',
  'true',
  'false',
  'dd',
  'nc',
  'httpd',
  'tail',
  'printf',
  'tr',
  'hostname',
  'grep',
];

/** Builds the images that do not exist yet. */
export async function makeTestImages(): Promise<void> {
  if (await present(BUSYBOX, WITH_PORTS)) return;
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-busybox-'));
  try {
    // apt's sandbox user has no access to this directory, which is only a warning on stderr.
    await execa('apt-get', ['download', '-q', 'busybox-static'], { cwd: directory });
    const [deb] = (await readdir(directory)).filter((name) => name.endsWith('.deb'));
    if (deb === undefined) throw new Error('apt-get download busybox-static left no package');
    const root = path.join(directory, 'root');
    await execa('dpkg', ['-x', deb, 'unpacked'], { cwd: directory });
    await mkdir(path.join(root, 'tmp'), { recursive: true });
    await execa('cp', ['-a', path.join(directory, 'unpacked', 'bin'), root]);
    for (const program of PROGRAMS) await symlink('busybox', path.join(root, 'bin', program)).catch(() => {});
    const tar = path.join(directory, 'root.tar');
    await execa('tar', ['-C', root, '-cf', tar, '.']);
    await execa('docker', ['import', tar, BUSYBOX]);
    await execa('docker', ['import', '--change', 'EXPOSE 9000 7000/tcp 53/udp', tar, WITH_PORTS]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function present(...images: string[]): Promise<boolean> {
  const { exitCode } = await execa('docker', ['image', 'inspect', ...images], {
    reject: false,
    stdout: 'ignore',
  });
  return exitCode === 0;
}
