/** Provides npm's packages of the Node runtime for each processor architecture, in the version of the lock file. */

import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';

/** Processor architectures: npm's names and Debian's names. */
export const CPUS = { x64: 'amd64', arm64: 'arm64' } as const;

export type Cpu = keyof typeof CPUS;

/** @throws Error for a name that is not in CPUS */
export function readCpu(name: string): Cpu {
  if (name === 'x64' || name === 'arm64') return name;
  throw new Error(`--arch must be x64 or arm64, not ${name}`);
}

/**
 * The directory of the package `node-linux-<cpu>`. npm installs only the package of this machine's architecture; others
 * are downloaded once and kept in `build/`.
 * @param root the checkout
 * @throws Error if the lock file doesn't have the package, its download fails, or its checksum differs
 */
export async function runtimePackage(root: string, cpu: Cpu): Promise<string> {
  const name = `node-linux-${cpu}`;
  const installed = path.join(root, 'node_modules', name);
  if (await isThere(path.join(installed, 'bin/node'))) return installed;
  const { version, integrity } = await locked(root, name);
  const kept = path.join(root, 'build/runtimes', `${name}-${version}`);
  if (await isThere(path.join(kept, 'bin/node'))) return kept;
  const draft = `${kept}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const quiet = $({ cwd: draft, quiet: true });
  const { stdout } = await quiet`npm pack --silent ${`${name}@${version}`}`;
  const archive = path.join(draft, stdout.trim());
  await checkIntegrity(archive, integrity, `${name} ${version}`);
  await quiet`tar -x --no-same-owner --strip-components=1 -f ${archive}`;
  await rm(archive);
  await rename(draft, kept);
  return kept;
}

/** @param integrity in the format of a lock file: `sha512-` and base64 @throws Error if the checksum differs */
export async function checkIntegrity(file: string, integrity: string, what: string): Promise<void> {
  const [algorithm = '', wanted] = integrity.split('-');
  const found = createHash(algorithm)
    .update(await readFile(file))
    .digest('base64');
  if (found === wanted) return;
  throw new Error(
    `what npm fetched as ${what} has the sum ${algorithm}-${found}, and package-lock.json says ${integrity}`,
  );
}

async function locked(root: string, name: string): Promise<{ version: string; integrity: string }> {
  const lock = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8'));
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (typeof version !== 'string' || typeof integrity !== 'string') {
    throw new Error(`package-lock.json has no version and sum of ${name}; add it to optionalDependencies`);
  }
  return { version, integrity };
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
