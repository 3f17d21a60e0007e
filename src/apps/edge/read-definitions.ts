/** Reads files of apps: an app, a list or a group, as JSON or YAML. */

import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LineCounter, parseAllDocuments } from 'yaml';
import { UsageError } from '../../errors/mesosup-error.ts';
import { isJson, type Json } from '../../json.ts';
import { absoluteId, parentOf, ROOT } from '../../scheduler/domain/app-id.ts';
import { readMarathon } from '../../scheduler/import/marathon.ts';
import { count } from '../../text/count.ts';
import { fillIn, refuseUnused, type Variables } from '../variables.ts';

export interface Definitions {
  /** Valid apps with absolute ids. */
  readonly apps: readonly (Json & { readonly id: string })[];
  /** The groups of the files, and of their apps, without the root group unless a file names it. */
  readonly groups: readonly string[];
  /** Fields that have no effect. */
  readonly warnings: readonly string[];
}

const FILES = /\.(json|ya?ml)$/;
const MAX_SHOWN = 3;

/**
 * @param names of files, of directories, or `-`
 * @param read returns the text of a file
 * @throws UsageError
 */
export async function readDefinitions(
  names: readonly string[],
  variables: Variables,
  read: (file: string) => Promise<string>,
): Promise<Definitions> {
  const files = (await Promise.all(names.map(filesOf))).flat();
  const used = new Set<string>();
  const documents: { file: string; value: unknown }[] = [];
  for (const file of files) {
    for (const value of parse(await read(file), shownName(file))) {
      documents.push({ file: shownName(file), value: fillIn(value, variables, shownName(file), used) });
    }
  }
  refuseUnused(variables.set, used);
  const groups = new Set<string>();
  const all: Json[] = [];
  for (const { file, value } of documents) {
    const { group, apps } = contentOf(value, file);
    all.push(apps);
    if (group !== undefined) groups.add(group);
  }
  const found = readMarathon({ groups: all });
  if (!found) throw new TypeError('groups are always read');
  const { apps, problems, unsupported, warnings } = found;
  const unknown = warnings.filter(({ why }) => why.includes('is not a known field'));
  const refused = [...problems, ...unsupported, ...unknown].map(
    ({ id, field, why }) => `${id}: ${field} ${why}`,
  );
  if (refused.length > 0) throw refusal(refused);
  if (apps.length === 0) throw new UsageError(`${files.map(shownName).join(', ')}: no app is defined`);
  for (const { id } of apps) if (parentOf(id) !== ROOT) groups.add(parentOf(id));
  return {
    apps,
    groups: [...groups],
    warnings: warnings
      .filter((one) => !unknown.includes(one))
      .map(({ id, field, why }) => `${id}: ${field} ${why}`),
  };
}

function refusal(problems: readonly string[]): UsageError {
  const more = problems.length - MAX_SHOWN;
  const end = more > 0 ? [`and ${count(more, 'more problem')}`] : [];
  return new UsageError([...problems.slice(0, MAX_SHOWN), ...end].join('\n'));
}

async function filesOf(name: string): Promise<string[]> {
  if (name === '-') return [name];
  const isDirectory = await stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isDirectory) return [name];
  const files = (await readdir(name)).filter((file) => FILES.test(file)).sort();
  if (files.length > 0) return files.map((file) => path.join(name, file));
  throw new UsageError(`${name} has no file that ends in .json, .yaml or .yml`);
}

function shownName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/** JSON is read as YAML, of which it is a part. @throws UsageError with the place */
function parse(text: string, file: string): unknown[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  return [...documents].flatMap((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new UsageError(`${file}:${line}:${col}: ${error.message}`);
    }
    const value: unknown = document.toJS();
    return value === null ? [] : [value];
  });
}

/** @returns the apps as a group of the root */
function contentOf(value: unknown, file: string): { readonly group?: string; readonly apps: Json } {
  const list = Array.isArray(value) ? value : undefined;
  if (list?.every((one) => isJson(one) && typeof one.id === 'string'))
    return { apps: { id: ROOT, apps: list } };
  if (!isJson(value)) throw unreadable(file);
  const isGroup = Array.isArray(value.apps) || Array.isArray(value.groups);
  if (typeof value.id !== 'string' && !isGroup) throw unreadable(file);
  if (!isGroup) return { apps: { id: ROOT, apps: [value] } };
  const group = typeof value.id === 'string' ? absoluteId(value.id) : undefined;
  return { ...(group !== undefined && { group }), apps: { ...value, id: group ?? ROOT } };
}

function unreadable(file: string): UsageError {
  return new UsageError(`${file} is neither an app with an id, nor a list of apps, nor a group`);
}
