/** A directory with its owner, group and mode, and optionally the only names that it may contain. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import { variant } from '../../stored/record.ts';
import type { HostFacts } from '../host-facts.ts';
import type { Item } from '../item.ts';
import { pathWord } from '../script/path-word.ts';
import { STATE } from '../script/places.ts';
import {
  keepPath,
  type PathEntry,
  pathId,
  pathItem,
  pathJournal,
  removePath,
  rightsLines,
  typeLines,
} from './path.ts';
import type { JournaledKind } from './resource.ts';

export interface DirectoryResource {
  readonly kind: 'directory';
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
  /**
   * The only names that the directory may contain; all others are moved to the backup. Needed for /etc/mesos-agent,
   * where every file is a flag.
   */
  readonly only?: readonly string[];
}

/** Ignored by the wrapper of Mesos' packages, and created by dpkg. */
const HARMLESS = /\.(dpkg-dist|rpmnew)$/;

export const directoryKind: JournaledKind<DirectoryResource, PathEntry<'directory'>> = {
  kind: 'directory',
  stored: variant<DirectoryResource>('directory', {
    path: z.string(),
    owner: z.string(),
    group: z.string(),
    mode: z.string(),
    only: z.array(z.string()).optional(),
  }),
  id: pathId,
  targets: ({ path, only }) => (only ? { trees: [path] } : { files: [path] }),
  diff: (resource, { facts }) => diffDirectory(resource, facts),
  keep: ({ path }) => keepPath('directory', path),
  steps({ path, owner, group, mode, only }) {
    const made = `make_directory ${[path, owner, group, mode].map(quote).join(' ')}`;
    return only ? [made, `only ${[path, ...only].map(quote).join(' ')}`] : [made];
  },
  remove(path, { whole }) {
    // mesosup's own directory is removed at the end of an uninstall.
    if (path === STATE) return [];
    return whole ? [`discard ${pathWord(path)}`] : removePath(path);
  },
  journal: pathJournal('directory'),
};

function diffDirectory(resource: DirectoryResource, facts: HostFacts): Item<DirectoryResource> | undefined {
  const { path } = resource;
  const found = facts.files[path];
  const rights = rightsLines(found, resource, '0755');
  if (found === undefined) return pathItem(resource, 'create', `${path}/: create`, rights);
  const strays = straysIn(resource, facts);
  const lines = [
    ...(found.type === 'directory' ? [] : [...typeLines(found), `-${found.type}`, '+directory']),
    ...rights,
    ...strays.map((stray) => `-${stray}`),
  ];
  if (lines.length === 0) return undefined;
  const title = strays.length > 0 ? `${path}/: remove files that would be read as flags` : `${path}/: change`;
  return pathItem(resource, 'change', title, lines);
}

/** Lists the paths that must not be in the directory. */
function straysIn({ only, path }: DirectoryResource, facts: HostFacts): string[] {
  if (only === undefined) return [];
  return Object.keys(facts.files)
    .filter((one) => {
      const name = one.startsWith(`${path}/`) ? one.slice(path.length + 1) : '';
      return name !== '' && !name.includes('/') && !only.includes(name) && !HARMLESS.test(name);
    })
    .toSorted();
}
