/** A release of this checkout for tests, for this machine's processor alone; and a server as people download from. */

import { once } from 'node:events';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { execa } from 'execa';
import { createMirror } from '../../lab/mirror.ts';
import { root } from '../demo-cluster.ts';

const KEPT = path.join(root, 'build/test-release');
const SOURCES = ['src', 'templates', 'bin', 'package.json', 'package-lock.json', 'LICENSE'];
/** In the released script; tests put their server's in its place. */
export const RELEASE_URL = 'http://release.invalid/mesosup';

export interface ReleaseBuild {
  readonly version: string;
  /** With bootstrap.sh; as it would be uploaded. */
  readonly out: string;
  /** The version's own in it. */
  readonly directory: string;
  /** The private key that signed it. */
  readonly key: string;
  /** What the build printed. */
  readonly printed: string;
}

/** Builds it unless there is one that is newer than all it is made from. Test files that ask at once wait for one build. */
export async function releaseBuild(): Promise<ReleaseBuild> {
  await mkdir(path.dirname(KEPT), { recursive: true });
  // `flock` keeps the lock until its command ends, which it does with our end of the pipe.
  const lock = execa('flock', [`${KEPT}.lock`, 'sh', '-c', 'echo locked; cat'], { stdin: 'pipe' });
  await once(lock.stdout, 'data');
  try {
    return await buildOnce();
  } finally {
    lock.stdin.end();
    await lock;
  }
}

async function buildOnce(): Promise<ReleaseBuild> {
  const key = path.join(KEPT, 'key');
  const stamp = path.join(KEPT, 'printed');
  const out = path.join(KEPT, 'out');
  const isThere = await stat(stamp).catch(() => undefined);
  const newer = isThere
    ? (await execa('find', [...SOURCES, '-newer', stamp, '-print', '-quit'], { cwd: root })).stdout
    : 'all';
  if (newer !== '') {
    await execa('rm', ['-rf', KEPT]);
    await mkdir(KEPT, { recursive: true });
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
    await writeFile(stamp, await buildRelease(root, out, key));
  }
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const printed = await readFile(stamp, 'utf8');
  return { version, out, directory: path.join(out, version), key, printed };
}

/** @param checkout to be built @returns what the build printed */
export async function buildRelease(checkout: string, out: string, key: string): Promise<string> {
  const args = ['--out', out, '--key', key, '--url', RELEASE_URL, '--arch', process.arch];
  const { stdout } = await execa(process.execPath, ['bin/release.ts', ...args], { cwd: checkout });
  return stdout;
}

export interface ReleaseServer {
  /** Where the release lies. */
  readonly url: string;
  close(): void;
}

/**
 * Serves a release, or what a test made of one.
 * @param directory for the script; what is in it already is left alone
 * @param address of this machine
 */
export async function serveRelease(
  { out, version, directory }: ReleaseBuild,
  served: string,
  address: string,
): Promise<ReleaseServer> {
  const server = createMirror({ cache: served, upstreams: {}, directories: { mesosup: served } });
  server.listen(0, address);
  await once(server, 'listening');
  const url = `http://${address}:${(server.address() as AddressInfo).port}/mesosup`;
  await mkdir(served, { recursive: true });
  const script = await readFile(path.join(out, 'bootstrap.sh'), 'utf8');
  await writeFile(path.join(served, 'bootstrap.sh'), script.replace(RELEASE_URL, url));
  await symlink(directory, path.join(served, version)).catch(() => {});
  return { url, close: () => server.close() };
}
