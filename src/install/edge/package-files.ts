/** Checks the package files that a plan sends from this machine, before any host is changed. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Plan } from '../plan.ts';
import { fileDigest } from './file-digest.ts';

/** @throws MesosupError naming the file, and the hosts that need it */
export async function checkPackageFiles(plan: Plan): Promise<void> {
  const wanted = new Map<string, { file: string; sha256: string; hosts: string[] }>();
  for (const { host, items } of plan.hosts) {
    for (const { resource } of items) {
      if (resource?.kind !== 'package' || !resource.file || !('upload' in resource.file)) continue;
      const { upload: file } = resource.file;
      const sha256 = resource.sha256 ?? '';
      const known = wanted.get(`${sha256} ${file}`) ?? { file, sha256, hosts: [] };
      known.hosts.push(host);
      wanted.set(`${sha256} ${file}`, known);
    }
  }
  for (const { file, sha256, hosts } of wanted.values()) {
    const found = await digestOf(file, hosts);
    if (found !== sha256) {
      throw new MesosupError(`${file} has the SHA-256 ${found}, not ${sha256}\n${nothingDone(hosts)}`, {
        remedy: 'Check that this is the right file, and set its SHA-256 in the cluster file (mesos: sha256).',
      });
    }
  }
}

async function digestOf(file: string, hosts: readonly string[]): Promise<string> {
  try {
    return await fileDigest(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new MesosupError(`the package ${file} can't be read: ${code ?? message}\n${nothingDone(hosts)}`, {
      remedy: 'Check the path in the cluster file (mesos: from).',
      cause,
    });
  }
}

function nothingDone(hosts: readonly string[]): string {
  return `Nothing was changed: the package is for ${hosts.join(', ')}.`;
}
