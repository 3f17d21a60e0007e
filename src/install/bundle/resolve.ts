/** Asks a host's apt which package files an installation on its system needs, and parses the answer. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import { parseJson } from '../../json.ts';
import { type PackageFile, type Pin, parseControl } from '../package-file.ts';
import type { AptKeyResource } from '../resources/apt-key.ts';
import type { FileResource } from '../resources/file.ts';
import { fileWord, madePackage, makeLine, type PackageResource } from '../resources/package.ts';
import type { Resource } from '../resources/registry.ts';
import { assemble, type HostScripts } from '../script/host-scripts.ts';
import { looseText } from '../script/loose-text.ts';
import { pinLines } from '../script/pin-lines.ts';

export interface ResolveRequest {
  readonly packages: readonly PackageResource[];
  /** Lists of repositories that an installation adds. */
  readonly sources: readonly Pick<FileResource, 'path' | 'content'>[];
  /** With their content. */
  readonly keys: readonly AptKeyResource[];
  readonly pins: readonly Pin[];
}

/** A package file of a repository. */
export interface ResolvedFile extends PackageFile {
  readonly uri: string;
}

/** Joins the resources of all hosts of a system. Of a package with and without a version, the version counts. */
export function resolveRequest(resources: readonly Resource[], pins: readonly Pin[]): ResolveRequest {
  const packages = new Map<string, PackageResource>();
  for (const one of resources) {
    if (one.kind !== 'package') continue;
    const known = packages.get(one.name);
    if (known === undefined || known.version === undefined) packages.set(one.name, one);
  }
  const sources = resources.filter((one) => one.kind === 'file').filter(({ aptSource }) => aptSource);
  const keys = resources.filter((one) => one.kind === 'apt-key');
  return {
    packages: [...packages.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    sources: distinct(sources, ({ path }) => path),
    keys: distinct(keys, ({ path }) => path),
    pins,
  };
}

function distinct<T>(all: readonly T[], key: (one: T) => string): T[] {
  return [...new Map(all.map((one) => [key(one), one])).values()];
}

const PARTS = ['environment.sh', 'apt.sh', 'simulate.sh', 'bundle-packages.sh'] as const;

/** Directory on a host for package files of this machine, each named by its SHA-256. */
export const BUNDLE_UPLOADS = '/var/tmp/mesosup-bundle';

/** Files of this machine are in BUNDLE_UPLOADS, and disappear. @throws TypeError for a key without content */
export function resolveScript(scripts: HostScripts, request: ResolveRequest): string {
  const { packages, sources, keys, pins } = request;
  const made = packages.flatMap((one) => madePackage(one) ?? []);
  const own = packages.filter((one) => one.file !== undefined && !madePackage(one));
  const words = packages
    .filter(({ file }) => file === undefined)
    .map(({ name, version }) => quote(version === undefined ? name : `${name}=~${version}`));
  const values = { PINS: pinLines(pins), INDEX: '', ONLY: '', NAMES: '', FRESH: 'yes' };
  return assemble(scripts, PARTS, values, [
    'open_simulation',
    'owns=',
    ...sources.map(({ path, content }) => `add_source ${quote(nameOf(path))} ${quote(content)}`),
    ...keys.map(({ path, content }) => {
      if (content === undefined) throw new TypeError(`the key for ${path} was not fetched`);
      return `add_key ${quote(path)} ${quote(content)}`;
    }),
    ...own.map(({ name, file, sha256 = '' }) => {
      const from = file && 'url' in file ? file.url : `${BUNDLE_UPLOADS}/${sha256}`;
      return `own_file ${quote(name)} ${quote(from)} ${quote(sha256)}`;
    }),
    ...made.map(makeLine),
    `resolve ${[...words, ...made.map(({ name }) => fileWord(name))].join(' ')}`,
  ]);
}

export function sendUriScript(scripts: HostScripts, { uri, sha256 }: ResolvedFile): string {
  const values = { PINS: '', INDEX: '', ONLY: '', NAMES: '', FRESH: '' };
  return assemble(scripts, PARTS, values, [`send_uri ${quote(uri)} ${quote(sha256)}`]);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const encoded = z
  .base64()
  .transform((text) => looseText(Buffer.from(text, 'base64')))
  .default('');
const answer = z.object({ format: z.literal(1), failure: encoded, uris: encoded, show: encoded });

/**
 * @returns the files sorted by name, or the reason why there are none
 * @throws TypeError when the text isn't the complete answer of the script
 */
export function parseResolved(stdout: string): readonly ResolvedFile[] | { readonly failure: string } {
  const parsed = answer.safeParse(parseJson(stdout));
  if (!parsed.success) throw new TypeError('not the answer of a resolution');
  const { failure, uris, show } = parsed.data;
  if (failure.trim() !== '') return { failure: failure.trim() };
  const paragraphs = show.split(/\n\n+/).flatMap((text) => paragraphOf(text) ?? []);
  const own = paragraphs.flatMap(({ file, uri }) => (uri === undefined ? [] : [{ ...file, uri }]));
  const files = uris.split('\n').flatMap((line): ResolvedFile[] => {
    const [, uri, size] = /^'([^']+)' \S+ (\d+) /.exec(line) ?? [];
    if (uri === undefined || own.some((one) => uri.endsWith(`/${one.name}.deb`))) return [];
    const found = paragraphs.find(
      ({ file, path }) => path !== undefined && decoded(uri).endsWith(path) && String(file.bytes) === size,
    );
    if (found === undefined) throw new TypeError(`no paragraph describes ${uri}`);
    return [{ ...found.file, uri }];
  });
  return distinct([...own, ...files], ({ sha256 }) => sha256).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}

/** Parses a paragraph of apt-cache; undefined if it describes no file. */
function paragraphOf(text: string) {
  const control = `${text.trim()}\n`;
  const own = parseControl(control);
  const sha256 = /^SHA256: *([0-9a-f]{64})$/m.exec(control)?.[1];
  const bytes = Number(/^Size: *(\d+)$/m.exec(control)?.[1]);
  if (own === undefined || sha256 === undefined || !(bytes > 0)) return undefined;
  const path = /^Filename: *(?:\.\/)?(\S+)$/m.exec(control)?.[1];
  const uri = /^URI: *(\S+)$/m.exec(control)?.[1];
  const fields = control.split('\n').filter((line) => !/^(URI|Description-md5):/.test(line));
  return { file: { ...own, sha256, bytes, control: fields.join('\n') }, path, uri };
}
