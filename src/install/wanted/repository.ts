/** An apt repository: its key and its list, before the packages that come from there. */

import type { AptRepository } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import type { Resource } from '../resources/registry.ts';
import { compareNumbers } from '../versions.ts';
import { directory, file } from './build.ts';
import type { Context } from './context.ts';

/** @param name of the list and the key */
export function aptRepository(context: Context, name: string, repository: AptRepository): Resource[] {
  const { own } = context;
  const line = (own.system.id === 'ubuntu' ? repository.ubuntu : repository.debian)
    .replaceAll('{id}', own.system.id)
    .replaceAll('{codename}', own.system.codename)
    .replaceAll('{arch}', own.arch);
  const key = keyPath(own, name);
  const options = [`arch=${own.arch}`, ...(key.startsWith(TRUSTED) ? [] : [`signed-by=${key}`])];
  const { fingerprint } = repository;
  return [
    ...(isHttps(line) ? [{ kind: 'package' as const, name: 'ca-certificates' }] : []),
    ...(key.startsWith(KEYRINGS) ? [directory(KEYRINGS)] : []),
    { kind: 'apt-key', path: key, source: repository.key, ...(fingerprint !== undefined && { fingerprint }) },
    {
      ...file(listPath(name), context.render('config/apt-source.list', { options, line })),
      note: `where apt finds ${name}`,
      beforePackages: true,
      aptSource: true,
    },
  ];
}

function listPath(name: string): string {
  return `/etc/apt/sources.list.d/${name}.list`;
}

const KEYRINGS = '/etc/apt/keyrings';
const TRUSTED = '/etc/apt/trusted.gpg.d';

/** apt reads armoured keys from 1.4 on, and keys of one repository from 1.1 on. */
function keyPath(facts: Facts, name: string): string {
  if (facts.system.id === 'ubuntu' && compareNumbers(facts.system.version, '16.04') < 0) {
    return `${TRUSTED}/${name}.gpg`;
  }
  const armoured = facts.system.id !== 'ubuntu' || compareNumbers(facts.system.version, '18.04') >= 0;
  return `${KEYRINGS}/${name}.${armoured ? 'asc' : 'gpg'}`;
}

function isHttps(line: string): boolean {
  return /(^|\s)https:/.test(line);
}

/**
 * A repository is ours to add while its package is missing, and ours to keep once we added it. A package that was there
 * before came from a list of its own, and two lists of one repository with different keys stop apt altogether.
 */
export function wantsRepository(facts: Facts, name: string, satisfied: boolean): boolean {
  const path = listPath(name);
  return !satisfied || facts.mesosup.journal.some((entry) => entry.kind === 'file' && entry.path === path);
}
