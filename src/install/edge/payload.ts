/**
 * The payload: an archive of this installation (runtime, bundles, executor, templates) for hosts. A checkout's `dist/`
 * and an installation unpacked from such an archive are packed in the same way.
 */

import { createHash } from 'node:crypto';
import { createWriteStream, statSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { z } from 'zod';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { RELEASED } from '../script/places.ts';
import { fileDigest } from './file-digest.ts';
import { type TarEntry, tar } from './tar.ts';

export interface PayloadArchive {
  /** Names its directory on a host. Differs when the content differs. */
  readonly version: string;
  /** SHA-256 of the archive, hex. */
  readonly sha256: string;
  readonly file: string;
  /** Size of the archive. */
  readonly bytes: number;
  /** The architecture of its runtime, as dpkg names it. */
  readonly arch: Arch;
}

export type Arch = 'amd64' | 'arm64';

/** Parts of an installation that are packed; the rest are caches. */
const PARTS = ['LICENSES', 'bin', 'executors', 'lib', 'package.json', 'templates'];
/** Manual page and completions; packed where they exist. */
const SHARE = 'share';
const RUNTIME = 'bin/node';
/** Number of older archives that are kept. */
const KEPT = 2;
const DPKG_ARCH: Readonly<Record<string, Arch>> = { x64: 'amd64', arm64: 'arm64' };

const packageJson = z.looseObject({ version: z.string(), release: z.boolean().optional() });
const releasedJson = z.object({ sha256: z.string(), bytes: z.number() });
const stampJson = z.object({
  inputs: z.string(),
  version: z.string(),
  sha256: z.string(),
  bytes: z.number(),
});

/**
 * Describes the archive of the installation at `root`. Packs nothing where the release has this information.
 * @param root `dist/` of a checkout, or the directory of an unpacked archive
 * @throws Error when the installation is not complete, or the archive can't be written
 */
export async function describePayload(root: string): Promise<Omit<PayloadArchive, 'file'>> {
  const released = await readReleased(root);
  if (!released) return payload(root);
  return { version: await readVersion(root), ...released, arch: ownArch() };
}

/**
 * Returns the archive of the installation at `root`. Packs it only when its present content has no archive yet.
 * @param root `dist/` of a checkout, or the directory of an unpacked archive
 * @throws MesosupError when the installation is not complete, or differs from its release
 */
export async function payload(root: string): Promise<PayloadArchive> {
  const own = path.join(root, RUNTIME);
  // npm installs the runtime as a separate package, and this program runs on it.
  const runtime = await access(own).then(
    () => own,
    () => process.execPath,
  );
  const packed = await packPayload({ root, runtime, arch: ownArch(), directory: archiveDirectory(root) });
  const released = await readReleased(root);
  if (released && released.sha256 !== packed.sha256) {
    throw new MesosupError(`the files in ${root} are no longer those of the release ${packed.version}`, {
      remedy: 'Remove mesosup and install it again. To change mesosup, build it from a checkout.',
    });
  }
  return packed;
}

function ownArch(): Arch {
  const arch = DPKG_ARCH[process.arch];
  if (!arch) {
    throw new MesosupError(`mesosup has no runtime for ${process.arch}`, {
      remedy: 'Run mesosup on a machine that is amd64 or arm64.',
    });
  }
  return arch;
}

/** Reads what bootstrap.sh or a package recorded about the archive that `root` was unpacked from. */
async function readReleased(root: string): Promise<z.infer<typeof releasedJson> | undefined> {
  const text = await readFile(path.join(root, RELEASED), 'utf8').catch(onlyCode('ENOENT', undefined));
  return text === undefined ? undefined : releasedJson.parse(JSON.parse(text));
}

/** Returns the version of an installation; for a checkout, without the hash of its content. */
export async function readVersion(root: string): Promise<string> {
  return packageJson.parse(JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))).version;
}

/** Beside a checkout's `dist/`. An installation may belong to another user, so its archives are in the user's cache. */
export function archiveDirectory(root: string): string {
  if (path.basename(root) === 'dist') return path.join(root, '../build/payload');
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'mesosup/payload');
}

export interface PackOptions {
  readonly root: string;
  /** The Node binary for the hosts. */
  readonly runtime: string;
  readonly arch: Arch;
  /** Directory of the archives. */
  readonly directory: string;
}

/** Like `payload`, for any runtime. */
export async function packPayload({ root, runtime, arch, directory }: PackOptions): Promise<PayloadArchive> {
  const found = await list(root, runtime);
  const inputs = digest(found.map(({ name, mode, stamp }) => `${name} ${mode} ${stamp}\n`));
  const stampFile = path.join(directory, `${arch}.json`);
  const known = await readStamp(stampFile);
  if (known?.inputs === inputs) {
    const file = archive(directory, known.version, arch);
    const cached = await stat(file).catch(() => null);
    if (cached?.size === known.bytes) {
      return { version: known.version, sha256: known.sha256, bytes: known.bytes, file, arch };
    }
  }
  const { version, entries } = await content(root, found);
  await mkdir(directory, { recursive: true });
  const file = archive(directory, version, arch);
  const draft = `${file}.${process.pid}`;
  try {
    const { sha256, bytes } = await write(entries, draft);
    await rename(draft, file);
    await writeFile(stampFile, `${JSON.stringify({ inputs, version, sha256, bytes })}\n`);
    await removeOld(directory, arch, file);
    return { version, sha256, bytes, file, arch };
  } finally {
    await rm(draft, { force: true });
  }
}

interface Found {
  readonly name: string;
  /** Path on this machine; may be a link. */
  readonly file: string;
  readonly mode: number;
  readonly size: number;
  /** Changes when the file does. */
  readonly stamp: string;
}

/** Lists all files and directories of an installation, sorted by name. */
async function list(root: string, runtime: string): Promise<Found[]> {
  try {
    const share = await access(path.join(root, SHARE)).then(
      () => [SHARE],
      () => [],
    );
    const parts = await Promise.all(
      [...PARTS, ...share].map(async (part) => {
        const inside = await readdir(path.join(root, part), { recursive: true }).catch(
          onlyCode('ENOTDIR', []),
        );
        return [part, ...inside.map((name) => `${part}/${name}`)];
      }),
    );
    const names = [...new Set([...parts.flat(), RUNTIME])].sort();
    return names.map((name) => describeFile(name, name === RUNTIME ? runtime : path.join(root, name)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MesosupError(`the installation at ${root} is not complete: ${why}`, {
      remedy: 'Install mesosup again, or run npm run build in a checkout.',
      cause: error,
    });
  }
}

/** Waits for the file system: several hundred files take 4 ms, and with a promise for each 50 ms. */
function describeFile(name: string, file: string): Found {
  const info = statSync(file);
  if (info.isDirectory()) return { name: `${name}/`, file, mode: 0o755, size: 0, stamp: '' };
  const mode = (info.mode & 0o100) === 0 ? 0o644 : 0o755;
  return { name, file, mode, size: info.size, stamp: `${info.size} ${info.mtimeMs} ${info.ino}` };
}

function onlyCode<T>(code: string, value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === code) return value;
    throw error;
  };
}

/**
 * Returns the archive's entries and its version, which ends in a hash of the content unless this is a release. The hash
 * covers package.json with the version that it had before packing, so packing an unpacked archive gives the same
 * archive.
 */
async function content(
  root: string,
  found: readonly Found[],
): Promise<{ version: string; entries: TarEntry[] }> {
  const { version: stated, ...rest } = packageJson.parse(
    JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')),
  );
  const base = stated.replace(/\+.*$/, '');
  const packed = (version: string) => Buffer.from(`${JSON.stringify({ ...rest, version }, null, 2)}\n`);
  const sums = await Promise.all(
    found.map(async ({ name, mode, file }) => {
      if (name.endsWith('/')) return `${name} ${mode}\n`;
      const sum = name === 'package.json' ? digest([packed(base)]) : await fileDigest(file);
      return `${name} ${mode} ${sum}\n`;
    }),
  );
  const version = rest.release ? base : `${base}+${digest(sums).slice(0, 12)}`;
  const entries = found.map(({ name, mode, file, size }): TarEntry => {
    if (name.endsWith('/')) return { name, mode };
    return { name, mode, content: name === 'package.json' ? packed(version) : { file, size } };
  });
  return { version, entries };
}

async function write(entries: readonly TarEntry[], file: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    tar(entries),
    createGzip(),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(file),
  );
  return { sha256: hash.digest('hex'), bytes };
}

function archive(directory: string, version: string, arch: Arch): string {
  return path.join(directory, `mesosup-${version}-linux-${arch === 'amd64' ? 'x64' : arch}.tar.gz`);
}

async function readStamp(file: string): Promise<z.infer<typeof stampJson> | null> {
  try {
    return stampJson.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

/** Keeps the newest of the older archives, since another run may be sending one. */
async function removeOld(directory: string, arch: Arch, current: string): Promise<void> {
  const end = path.basename(archive('', '', arch)).replace('mesosup-', '');
  const names = (await readdir(directory)).filter((name) => name.endsWith(end));
  const others = names.map((name) => path.join(directory, name)).filter((file) => file !== current);
  const aged = await Promise.all(others.map(async (file) => ({ file, age: (await stat(file)).mtimeMs })));
  const old = aged.sort((a, b) => b.age - a.age).slice(KEPT);
  await Promise.all(old.map(({ file }) => rm(file, { force: true })));
}

function digest(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
