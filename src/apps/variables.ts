/**
 * Fills in the variables of a file of apps: `{{ var.NAME }}` from `--set`, `{{ env.NAME }}` from the environment. Only
 * these marks are replaced, since `$NAME` and `{{ … }}` of others belong to the app. Values never become structure: they
 * are inserted into texts that are parsed already.
 */

import { UsageError } from '../errors/mesosup-error.ts';
import { isJson } from '../json.ts';
import { didYouMean } from '../text/suggest.ts';

export interface Variables {
  readonly set: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const MARK = /\{\{\s*(var|env)\.([A-Za-z_]\w*)\s*\}\}/g;

/**
 * @param file its name in messages
 * @param used the names of `--set` that were used are added
 * @throws UsageError for a variable that is not set
 */
export function fillIn(value: unknown, variables: Variables, file: string, used: Set<string>): unknown {
  return fill(value, '');

  function fill(part: unknown, path: string): unknown {
    if (typeof part === 'string') return part.replace(MARK, (_, kind, name) => variableOf(kind, name, path));
    if (Array.isArray(part)) return part.map((one, i) => fill(one, `${path}[${i}]`));
    if (!isJson(part)) return part;
    const filled = Object.entries(part).map(([name, one]) => [
      name,
      fill(one, path === '' ? name : `${path}.${name}`),
    ]);
    return Object.fromEntries(filled);
  }

  function variableOf(kind: string, name: string, path: string): string {
    const { set, environment } = variables;
    if (kind === 'var') used.add(name);
    const value = kind === 'var' ? (Object.hasOwn(set, name) ? set[name] : undefined) : environment[name];
    if (value !== undefined) return value;
    const where = `${file}: ${path}`;
    throw kind === 'env'
      ? new UsageError(`${where}: the variable ${name} is not set in the environment`)
      : new UsageError(`${where}: the variable ${name} is not set${didYouMean(name, Object.keys(set))}`, {
          remedy: `Set it with: --set ${name}=VALUE`,
        });
  }
}

/** @throws UsageError for a variable that no file uses */
export function refuseUnused(set: Readonly<Record<string, string>>, used: ReadonlySet<string>): void {
  const unused = Object.keys(set).filter((name) => !used.has(name));
  if (unused.length === 0) return;
  throw new UsageError(
    `--set ${unused[0]}: no file has {{ var.${unused[0]} }}${didYouMean(unused[0] ?? '', [...used])}`,
  );
}

/** Reads `NAME=VALUE` of `--set`. @throws UsageError */
export function settingsOf(texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((text) => {
    const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new UsageError(`--set ${text}: expected NAME=VALUE`);
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}
