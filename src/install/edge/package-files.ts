/** Checks the package files that a plan sends from this machine, before any host is changed. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Plan } from '../plan.ts';
import { fileDigest } from './file-digest.ts';
import type { PackageCache } from './package-cache.ts';

const IN_SPEC = {
  wrong: 'Check that this is the right file, and set its SHA-256 in the cluster file (mesos: sha256).',
  unreadable: 'Check the path in the cluster file (mesos: from).',
};
const AGAIN = 'Remove the file, then run the same command again, or make a new plan.';
const IN_CACHE = { wrong: AGAIN, unreadable: 'Run the same command again, or make a new plan.' };

interface Wanted {
  readonly file: string;
  readonly sha256: string;
  readonly hosts: string[];
  readonly remedies: typeof IN_SPEC;
}

/**
 * @param cache paths of files in the cache by their SHA-256
 * @throws MesosupError naming the file, and the hosts that need it
 */
export async function checkPackageFiles(
  plan: Plan,
  cache: Pick<PackageCache, 'file' | 'imageFile'>,
): Promise<void> {
  const wanted = new Map<string, Wanted>();
  const add = (host: string, file: string, sha256: string, remedies: typeof IN_SPEC) => {
    const known = wanted.get(`${sha256} ${file}`) ?? { file, sha256, hosts: [], remedies };
    known.hosts.push(host);
    wanted.set(`${sha256} ${file}`, known);
  };
  for (const { host, items, files = [] } of plan.hosts) {
    for (const { resource } of items) {
      if (resource?.kind === 'image') add(host, cache.imageFile(resource.sha256), resource.sha256, IN_CACHE);
      if (resource?.kind !== 'package' || !resource.file || !('upload' in resource.file)) continue;
      add(host, resource.file.upload, resource.sha256 ?? '', IN_SPEC);
    }
    for (const { sha256 } of files) add(host, cache.file(sha256), sha256, IN_CACHE);
  }
  for (const one of wanted.values()) {
    const { file, sha256, hosts, remedies } = one;
    const found = await digestOf(one);
    if (found !== sha256) {
      throw new MesosupError(`${file} has the SHA-256 ${found}, not ${sha256}\n${nothingDone(hosts)}`, {
        remedy: remedies.wrong,
      });
    }
  }
}

async function digestOf({ file, hosts, remedies }: Wanted): Promise<string> {
  try {
    return await fileDigest(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new MesosupError(`the package ${file} can't be read: ${code ?? message}\n${nothingDone(hosts)}`, {
      remedy: remedies.unreadable,
      cause,
    });
  }
}

function nothingDone(hosts: readonly string[]): string {
  return `Nothing was changed: the package is for ${hosts.join(', ')}.`;
}
