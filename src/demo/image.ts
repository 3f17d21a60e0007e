import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { execa } from 'execa';
import { MesosupError } from '../errors/mesosup-error.ts';

type Execa = typeof execa;

/** The image of the 2013 page. No registry has a current version, so the demo builds it. */
export const DEFAULT_IMAGE = 'johncosta/redis';

const SERVER = 'redis-server';
/** Dependencies of Redis that go into the image: shared libraries and Redis' own packages, but no system packages. */
const WANTED = /^(lib|zlib|lua|redis)/;

/**
 * The packages for an image of `root`: the package itself and the libraries among its dependencies.
 *
 * @param depends the output of `apt-cache depends --recurse`: a package's name at the start of a line, its dependencies
 *   indented below it
 */
export function packageClosure(root: string, depends: string): string[] {
  const dependencies = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of depends.split('\n')) {
    const dependency = /^[ |]+(?:Pre)?Depends: (\S+)/.exec(line)?.[1];
    if (dependency) current.push(dependency);
    else if (/^\S/.test(line)) {
      current = [];
      dependencies.set(line.trim(), current);
    }
  }
  const wanted = new Set([root]);
  for (const name of wanted) {
    for (const dependency of dependencies.get(name) ?? [])
      if (WANTED.test(dependency)) wanted.add(dependency);
  }
  return [...wanted].sort();
}

/**
 * Builds the Redis image from the distribution's `redis-server` package: unpacks it with its libraries and imports the
 * tree. Without arguments, a container runs the server on port 6379; `redis-cli …` runs the client. The server runs as
 * its own user and writes nothing to disk.
 *
 * @param say called with each step
 * @throws MesosupError with a remedy if apt is missing or has no package lists
 */
export async function buildRedisImage(name: string, say: (step: string) => void): Promise<void> {
  // Most demos find the image, and loading execa takes half of a start of Node.
  const { execa } = await import('execa');
  const dir = await mkdtemp(path.join(tmpdir(), 'mesosup-image-'));
  try {
    const packages = await listPackages(execa);
    say(`downloading ${packages.length} packages of the distribution`);
    await execa('apt-get', ['download', '-qq', ...packages], { cwd: dir }).catch((error) => {
      throw new MesosupError(
        `apt-get could not download Redis: ${error.stderr}\nRun apt-get update and try again, or choose another image with --image.`,
      );
    });
    say('unpacking');
    const root = path.join(dir, 'root');
    await makeTree(root);
    await execa({ cwd: dir })`sh -c ${'for deb in *.deb; do dpkg-deb -x "$deb" root || exit 1; done'}`;
    say('importing');
    const changes = [
      'CMD ["redis-server","--bind","* -::*","--port","6379","--protected-mode","no","--save","","--dir","/data"]',
      'EXPOSE 6379',
      'WORKDIR /data',
      'USER 100:100',
      'ENV PATH=/usr/bin TERM=xterm',
    ].flatMap((change) => ['--change', change]);
    await execa('tar', ['-C', root, '-c', '.'], { encoding: 'buffer' }).pipe('docker', [
      'import',
      ...changes,
      '-',
      name,
    ]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function listPackages(execa: Execa): Promise<string[]> {
  const options = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (o) => `--no-${o}`,
  );
  const { stdout } = await execa('apt-cache', ['depends', '--recurse', ...options, SERVER]).catch((error) => {
    throw new MesosupError(
      `apt-cache does not know ${SERVER}: ${error.stderr || error.message}\n` +
        'Run apt-get update and try again, or choose another Redis image with --image.',
    );
  });
  return packageClosure(SERVER, stdout);
}

/** Creates the directories that packages expect in the base system, with a merged /usr as in current releases. */
async function makeTree(root: string): Promise<void> {
  for (const name of ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'etc', 'data', 'tmp']) {
    await mkdir(path.join(root, name), {
      recursive: true,
      mode: name === 'tmp' || name === 'data' ? 0o777 : 0o755,
    });
  }
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${name}`, path.join(root, name));
  await writeFile(
    path.join(root, 'etc/passwd'),
    'root:x:0:0::/:/bin/false\nredis:x:100:100::/data:/bin/false\n',
  );
  await writeFile(path.join(root, 'etc/group'), 'root:x:0:\nredis:x:100:\n');
}
