/** An apt repository: its key and its list, which precede its packages. */

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
      note: `apt repository of ${name}`,
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

/** apt supports armoured keys since 1.4, and a key for a single repository since 1.1. */
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
 * A repository is added if its package is missing, and kept if mesosup added it. A package that was installed before
 * has its own list, and apt fails with two lists of one repository that have different keys.
 */
export function wantsRepository(facts: Facts, name: string, satisfied: boolean): boolean {
  const path = listPath(name);
  return !satisfied || facts.mesosup.journal.some((entry) => entry.kind === 'file' && entry.path === path);
}
