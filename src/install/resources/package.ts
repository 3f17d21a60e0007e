/** A Debian package, from a repository or a file. Consecutive packages of a plan are installed together. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import { record, variant } from '../../stored/record.ts';
import { listed } from '../../text/listed.ts';
import type { HostFacts } from '../host-facts.ts';
import { type Item, idParts, type Numbered, type Shape } from '../item.ts';
import { installedPackage, packageNames } from '../package-state.ts';
import { meetsVersion } from '../versions.ts';
import type { Entry, JournaledKind, Undoing } from './resource.ts';

/** From where a package file comes. With `control` the host makes it: a package without files, with these control fields. */
export type FileSource =
  | { readonly url: string }
  | { readonly upload: string }
  | { readonly control: string };

export interface PackageResource {
  readonly kind: 'package';
  readonly name: string;
  /** A version or its prefix, without the epoch (`1.11.0-0.7`); defaults to the installed version, or the newest. */
  readonly version?: string;
  /** A package file to use instead of a repository; `name` is the package inside it. */
  readonly file?: FileSource;
  /** SHA-256 of that file, hex; checked on the host before it is unpacked. */
  readonly sha256?: string;
}

interface PackageEntry {
  readonly kind: 'package';
  readonly name: string;
  readonly before: 'absent' | { readonly version: string };
  /** Removed by a run of mesosup, with the owner's permission: `uninstall` installs it again. */
  readonly removed?: true;
}

export const packageKind: JournaledKind<PackageResource, PackageEntry> = {
  kind: 'package',
  stored: variant<PackageResource>('package', {
    name: z.string(),
    version: z.string().optional(),
    file: z
      .union([
        record<{ readonly url: string }>({ url: z.string() }),
        record<{ readonly upload: string }>({ upload: z.string() }),
        record<{ readonly control: string }>({ control: z.string() }),
      ])
      .optional(),
    sha256: z.string().optional(),
  }),
  id: ({ name }) => `package:${name}`,
  targets: ({ name }) => ({ packages: packageNames(name) }),
  diff: (resource, { facts }) => diffPackage(resource, facts),
  // A hook of apt records the changes.
  keep: () => [],
  steps: refuse,
  remove: refuse,
  journal: {
    schema: z.object({
      kind: z.literal('package'),
      name: z.string(),
      before: z.union([z.literal('absent'), z.object({ version: z.string() })]),
      removed: z.literal(true).exactOptional(),
    }),
    merge: (first, later) => (later.removed ? { ...first, removed: true } : first),
    undo: (entry, { facts, purge }) => undoPackage(entry, facts, purge),
    restore: ({ name, before }) => (before === 'absent' ? [] : [`say ${quote(`${name} is left unchanged`)}`]),
  },
};

function refuse(): never {
  throw new TypeError('packages must be handled together');
}

function diffPackage(resource: PackageResource, facts: HostFacts): Item<PackageResource> | undefined {
  const { name, version, file } = resource;
  const id = `package:${name}`;
  const found = installedPackage(facts, name);
  const wanted = version ?? 'the newest';
  const source = file === undefined ? [] : [`+${sourceOf(file)}`];
  if (found === undefined) {
    const title = `package ${name}: install${version ? ` ${version}` : ''}`;
    return { id, action: 'install', title, diff: source, resource };
  }
  if (meetsVersion(found.version, version)) return undefined;
  const title = `package ${name}: ${found.version} → ${wanted}`;
  return { id, action: 'upgrade', title, diff: [`-${found.version}`, `+${wanted}`, ...source], resource };
}

/** A package that hosts make themselves. */
export interface MadePackage {
  readonly name: string;
  /** See `FileSource`. */
  readonly control: string;
}

/** Returns the package if hosts make it themselves, else undefined. */
export function madePackage({ name, file }: PackageResource): MadePackage | undefined {
  return file && 'control' in file ? { name, control: file.control } : undefined;
}

function sourceOf(file: FileSource): string {
  if ('control' in file) return /^Description: (.+)$/m.exec(file.control)?.[1] ?? 'made on the host';
  return `from ${'url' in file ? file.url : file.upload}`;
}

function undoPackage({ name, before, removed }: PackageEntry, facts: HostFacts, purge: boolean): Undoing {
  const id = `package:${name}`;
  if (before === 'absent') {
    const title = `package ${name}: ${purge ? 'purge' : 'remove'}`;
    return { undo: [{ id, action: 'remove', title, diff: [], ...(purge && { whole: true }) }] };
  }
  // A package that mesosup removed is installed again, unless the owner has done so. An older version may no longer be
  // available; then the newer one stays.
  if (!removed || installedPackage(facts, name) !== undefined) return {};
  const title = `package ${name}: install ${before.version} again, as before mesosup`;
  return { bringBack: [{ id, action: 'restore', title, diff: [] }] };
}

export type PackageWork = 'install' | 'remove' | 'purge' | 'restore';

/** Tells how a package is handled; items with the same result can be handled together. Undefined for other items. */
export function packageWork({ item }: Numbered, journal: readonly Entry[]): PackageWork | undefined {
  const { kind, name } = idParts(item.id);
  if (kind !== 'package' || item.action === 'repair') return undefined;
  if (item.byApt) return 'install';
  if (item.action === 'remove') return item.whole ? 'purge' : 'remove';
  if (item.action === 'restore') {
    const entry = journal.filter(isPackageEntry).find((known) => known.name === name);
    if (entry === undefined) return undefined;
    return entry.before === 'absent' ? 'remove' : entry.removed ? 'restore' : undefined;
  }
  return 'install';
}

function isPackageEntry(entry: Entry): entry is PackageEntry {
  return entry.kind === 'package';
}

function isPackage(resource: Shape | undefined): resource is PackageResource {
  return resource?.kind === 'package';
}

/** Returns the lines that handle packages together, with one apt-get. @throws TypeError for a file without a SHA-256 */
export function packageLines(
  work: PackageWork,
  items: readonly Numbered[],
  journal: readonly Entry[],
): string[] {
  const names = items.flatMap(({ item }) => (item.byApt ? [] : [idParts(item.id).name]));
  const what = `packages=${quote(listed(names, 3))}`;
  if (work === 'restore') {
    const words = journal
      .filter(isPackageEntry)
      .flatMap(({ name, before }) =>
        before !== 'absent' && names.includes(name) ? [quote(`${name}=${before.version}`)] : [],
      );
    return [what, `restore_packages ${words.join(' ')}`];
  }
  if (work !== 'install') return [what, `drop_packages ${work} ${names.map(quote).join(' ')}`];
  const before: string[] = [];
  const wanted = items.filter(({ item }) => !item.byApt);
  // apt removes a package that a repository has only if it is named as `NAME-`.
  const removals = items.filter(({ item }) => item.byApt && item.action === 'remove');
  const words = wanted.map(({ item: { id, resource } }) => {
    if (!isPackage(resource)) throw new TypeError(`the plan's item ${id} names no package`);
    const file = packageFile(resource);
    before.push(...file.before);
    return file.word;
  });
  const numbers = wanted.map(({ item, index }) => `${idParts(item.id).name}=${index} `).join('');
  const all = [...words, ...removals.map(({ item }) => quote(`${idParts(item.id).name}-`))];
  return [what, `package_items=${quote(numbers)}`, ...before, `install_packages ${all.join(' ')}`];
}

function packageFile({ name, version, file, sha256 }: PackageResource): { before: string[]; word: string } {
  if (!file) return { before: [], word: quote(version === undefined ? name : `${name}=~${version}`) };
  const word = fileWord(name);
  if ('control' in file) return { before: [makeLine({ name, control: file.control })], word };
  if (sha256 === undefined) throw new TypeError(`the package file of ${name} has no SHA-256`);
  return 'url' in file
    ? { before: [`fetch_package ${quote(file.url)} ${quote(sha256)} ${word}`], word }
    : { before: [`take_package ${quote(sha256)} ${word}`], word };
}

/** The word of a script for the package file, as apt takes it. */
export function fileWord(name: string): string {
  return `"$dir"/${quote(`${name}.deb`)}`;
}

/** The line of a script that makes a package file without files. Needs apt.sh. */
export function makeLine({ name, control }: MadePackage): string {
  return `make_package ${quote(control)} ${fileWord(name)}`;
}
