/** Builds a release of this checkout for tests, for this machine's processor only, and serves it over HTTP. */

import { once } from 'node:events';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { execa } from 'execa';
import { createMirror } from '../../lab/mirror.ts';
import { root } from '../demo-cluster.ts';

const KEPT = path.join(root, 'build/test-release');
const SOURCES = ['src', 'templates', 'bin', 'package.json', 'package-lock.json', 'LICENSE'];
/** The URL in the released script; tests replace it with the URL of their server. */
export const RELEASE_URL = 'http://release.invalid/mesosup';

export interface ReleaseBuild {
  readonly version: string;
  /** The directory to upload, with bootstrap.sh. */
  readonly out: string;
  /** The directory of the version in `out`. */
  readonly directory: string;
  /** The private key of the signature. */
  readonly key: string;
  /** The output of the build. */
  readonly printed: string;
}

/** Builds a release, or reuses one that is newer than its sources. Parallel test files wait for the same build. */
export async function releaseBuild(): Promise<ReleaseBuild> {
  await mkdir(path.dirname(KEPT), { recursive: true });
  // `flock` holds the lock until its command exits, which it does when our end of the pipe is closed.
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

/** @param checkout the checkout to build @returns the output of the build */
export async function buildRelease(checkout: string, out: string, key: string): Promise<string> {
  const args = ['--out', out, '--key', key, '--url', RELEASE_URL, '--arch', process.arch];
  const { stdout } = await execa(process.execPath, ['bin/release.ts', ...args], { cwd: checkout });
  return stdout;
}

export interface ReleaseServer {
  /** The URL of the release. */
  readonly url: string;
  close(): void;
}

/**
 * Serves a release, or a release that a test has modified.
 * @param directory the directory for the script; existing files in it are left alone
 * @param address an address of this machine
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
