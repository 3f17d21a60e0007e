/**
 * Apt repositories with the lab's Mesos packages, at paths like ClusterD's. Beside the good one there are two with
 * a fault each: one whose list has another SHA-256 than the file, and one signed by a key that has expired.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { DEBIAN } from './bases.ts';
import { buildDebs, type Deb, debInputs, PACKAGE } from './mesos-deb.ts';
import { type SigningKey, withSigningKey } from './signing-key.ts';

/** A repository in the form of a cluster spec. */
export interface RepositoryLines {
  /** The text after `deb` on Debian; `{codename}` is replaced by the host's code name. */
  debian: string;
  ubuntu: string;
  /** URL of the public key. */
  key: string;
  fingerprint: string;
}

export interface MesosPackages {
  /** The package's name. */
  name: string;
  version: string;
  /** Version of the upgrade, in the same repository. */
  nextVersion: string;
  /** The older package as a file on this machine and as a URL for hosts, with its SHA-256 in hex. */
  file: string;
  url: string;
  sha256: string;
  /** The directory with the largest file of the package. */
  largestIn: string;
  good: RepositoryLines;
  /** With the older version only, and with that of the upgrade only. */
  former: RepositoryLines;
  moved: RepositoryLines;
  wrongHash: RepositoryLines;
  expired: RepositoryLines;
}

/** Data that is stored with the files. */
interface Index {
  version: string;
  nextVersion: string;
  deb: string;
  sha256: string;
  largestIn: string;
  fingerprints: { good: string; expired: string };
}

const UBUNTU_CODENAME = 'jammy';
/** Builds that were not used for this time are removed. */
const KEPT_MS = 6 * 3600_000;

/**
 * Makes the repositories unless the cache has them for the present build.
 *
 * @returns the directory to be served, and what is in it when it is served at a URL
 */
export async function ensureMesosRepository(
  cache: string,
): Promise<{ directory: string; at: (url: string) => MesosPackages }> {
  const root = path.join(cache, 'mesos');
  const directory = path.join(root, await digestOf(await debInputs()));
  await mkdir(root, { recursive: true });
  if (!(await isThere(path.join(directory, 'index.json')))) {
    const work = await mkdtemp(path.join(root, 'new-'));
    try {
      const served = path.join(work, 'served');
      await build(cache, served, work);
      await rename(served, directory).catch(async (error: unknown) => {
        if (!(await isThere(path.join(directory, 'index.json')))) throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  await utimes(directory, new Date(), new Date());
  await removeUnused(root);
  const index = JSON.parse(await readFile(path.join(directory, 'index.json'), 'utf8')) as Index;
  return { directory, at: (url) => describe(index, directory, url) };
}

function describe(index: Index, directory: string, url: string): MesosPackages {
  const lines = (kind: string, fingerprint: string): RepositoryLines => ({
    debian: `${url}/${kind}/Debian/ {codename} main`,
    ubuntu: `${url}/${kind}/Ubuntu/{codename} {codename} main`,
    key: `${url}/${kind}/key.asc`,
    fingerprint,
  });
  return {
    name: PACKAGE,
    version: index.version,
    nextVersion: index.nextVersion,
    file: path.join(directory, POOL, index.deb),
    url: `${url}/${POOL}/${index.deb}`,
    sha256: index.sha256,
    largestIn: index.largestIn,
    good: lines('good', index.fingerprints.good),
    former: lines('former', index.fingerprints.good),
    moved: lines('moved', index.fingerprints.good),
    wrongHash: lines('wrong-hash', index.fingerprints.good),
    expired: lines('expired', index.fingerprints.expired),
  };
}

const POOL = `pool/main/a/${PACKAGE}`;

async function build(cache: string, served: string, work: string): Promise<void> {
  const pool = path.join(served, POOL);
  await mkdir(pool, { recursive: true });
  const { current, next } = await buildDebs(pool, work);
  const entries = await Promise.all([current, next].map((deb) => entryOf(deb)));
  const list = entries.map(({ text }) => text).join('\n');
  const wrong = entries
    .map(({ text, sha256 }) => text.replace(sha256, sha256.replace(/^./, flipped)))
    .join('\n');
  const { stdout: arch } = await execa('dpkg', ['--print-architecture']);
  const suites = [
    ...Object.values(DEBIAN).map((codename) => ({ base: 'Debian', codename })),
    { base: `Ubuntu/${UBUNTU_CODENAME}`, codename: UBUNTU_CODENAME },
  ];
  const publish = async (kind: string, packages: string, key: SigningKey) => {
    for (const name of new Set(suites.map(({ base }) => base))) {
      const base = path.join(served, kind, name);
      await mkdir(base, { recursive: true });
      await symlink(path.relative(base, path.join(served, 'pool')), path.join(base, 'pool'));
    }
    for (const suite of suites) {
      const base = path.join(served, kind, suite.base);
      await writeSuite(path.join(base, 'dists', suite.codename), suite.codename, arch, packages, key);
    }
    await writeFile(path.join(served, kind, 'key.asc'), key.publicKey);
    return key.fingerprint;
  };
  const good = await withSigningKey('good', cache, async (key) => {
    await publish('wrong-hash', wrong, key);
    await publish('former', entries[0]?.text ?? '', key);
    await publish('moved', entries[1]?.text ?? '', key);
    return publish('good', list, key);
  });
  const expired = await withSigningKey('expired', cache, (key) => publish('expired', list, key));
  const index: Index = {
    version: current.version,
    nextVersion: next.version,
    deb: current.name,
    sha256: entries[0]?.sha256 ?? '',
    largestIn: path.dirname(await largestFile(current)),
    fingerprints: { good, expired },
  };
  await writeFile(path.join(served, 'index.json'), JSON.stringify(index));
}

function flipped(digit: string): string {
  return digit === '0' ? '1' : '0';
}

/** Returns the paragraph of a package in the list. */
async function entryOf(deb: Deb): Promise<{ text: string; sha256: string }> {
  const { stdout: control } = await execa('dpkg-deb', ['-f', deb.file]);
  const sha256 = await fileDigest(deb.file);
  const { size } = await stat(deb.file);
  const text = `${control}\nFilename: ${POOL}/${deb.name}\nSize: ${size}\nSHA256: ${sha256}\n`;
  return { text, sha256 };
}

/** Returns the path of the package's largest file on a host. */
async function largestFile({ file }: Deb): Promise<string> {
  const { stdout } = await execa('dpkg-deb', ['-c', file]);
  // As tar lists them: `-rw-r--r-- root/root 1234 2026-01-31 12:00 ./usr/bin/name`.
  const files = [...stdout.matchAll(/^-\S+ +\S+ +(\d+) +\S+ +\S+ +\.(\/.*)$/gm)];
  const [largest] = files.sort(([, a], [, b]) => Number(b) - Number(a));
  return largest?.[2] ?? '/';
}

async function writeSuite(
  directory: string,
  codename: string,
  arch: string,
  packages: string,
  key: SigningKey,
): Promise<void> {
  const name = `main/binary-${arch}/Packages`;
  await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
  await writeFile(path.join(directory, name), packages);
  const sha256 = createHash('sha256').update(packages).digest('hex');
  const release = [
    'Origin: Lab',
    'Label: Lab',
    `Suite: ${codename}`,
    `Codename: ${codename}`,
    `Date: ${new Date().toUTCString()}`,
    `Architectures: ${arch}`,
    'Components: main',
    'SHA256:',
    ` ${sha256} ${Buffer.byteLength(packages)} ${name}`,
    '',
  ].join('\n');
  await writeFile(path.join(directory, 'InRelease'), await key.sign(release));
}

async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Returns a digest of the packages' content and of this file. */
async function digestOf(inputs: readonly string[]): Promise<string> {
  const sources = ['mesos-deb.ts', 'mesos-repository.ts'].map((name) => path.join(import.meta.dirname, name));
  const digests = await Promise.all([...inputs, ...sources].map(fileDigest));
  return createHash('sha256').update(digests.join('\n')).digest('hex').slice(0, 16);
}

async function removeUnused(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const directory = path.join(root, name);
    const used = await stat(directory).catch(() => undefined);
    if (used && Date.now() - used.mtimeMs > KEPT_MS) await rm(directory, { recursive: true, force: true });
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
