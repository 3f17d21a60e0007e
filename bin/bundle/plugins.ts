import { isBuiltin } from 'node:module';
import type { Plugin } from 'rolldown';

const BUILTIN = '\0builtin:';
/** Names that are valid identifiers. */
const NAME = /^[A-Za-z_$][\w$]*$/;
const RESERVED = new Set(['default', 'delete']);
/** Loading these, or some of their exports, takes 1 to 10 ms. */
const HEAVY = new Set(['child_process', 'crypto', 'fs/promises', 'https', 'tls', 'util']);

/**
 * An ES module that imports one of Node's modules reads all of its exports. Some are created only when they are read: the
 * WebSocket client of node:http takes 50 ms, node:fs and node:process some 10 ms. The bundles read only the exports
 * that they use, and load heavy modules when their functions are called.
 */
export const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  resolveId: (source, _importer, { kind }) =>
    isBuiltin(source) && kind === 'import-statement' ? `${BUILTIN}${source.replace(/^node:/, '')}` : null,
  load(id) {
    if (!id.startsWith(BUILTIN)) return null;
    const module = id.slice(BUILTIN.length);
    const content = process.getBuiltinModule(`node:${module}`) as unknown as Record<string, unknown>;
    const isLazy = (key: string) => HEAVY.has(module) && isPlainFunction(key, content[key]);
    const exported = Object.keys(content)
      .filter((key) => NAME.test(key) && !RESERVED.has(key))
      .map((key) => {
        const read = `__read(${JSON.stringify(key)})`;
        return `export const ${key} = ${isLazy(key) ? `(...values) => ${read}(...values)` : `/* @__PURE__ */ ${read}`};`;
      });
    return [
      `const __load = () => process.getBuiltinModule(${JSON.stringify(`node:${module}`)});`,
      'const __read = (key) => __load()[key];',
      'export default /* @__PURE__ */ __load();',
      ...exported,
    ].join('\n');
  },
};

/** True for a function that a wrapper can replace: not a class, without properties, as variants for `promisify` are. */
function isPlainFunction(name: string, value: unknown): boolean {
  if (typeof value !== 'function' || !/^[a-z]/.test(name)) return false;
  return Object.keys(value).length === 0 && Object.getOwnPropertySymbols(value).length === 0;
}

const ADD_ON = '\0add-on';

/** ssh2 works without its compiled add-ons, which are not built: each import of one fails. */
export const noAddOns: Plugin = {
  name: 'no-add-ons',
  resolveId: (source) => (source === 'cpu-features' || source.endsWith('.node') ? ADD_ON : null),
  load: (id) => (id === ADD_ON ? "throw new Error('this add-on is not available');" : null),
};

const UNREACHED = '\0unreached';
const LINUX = '\0linux';
const SORTED = '.sort((a, b) => a.id.localeCompare(b.id))';

/**
 * Removes code that oclif loads at each start but this program never uses: the search for commands, which the manifest
 * replaces; Windows; and the language tables for sorting commands, which the manifest has sorted already.
 */
export const leanOclif: Plugin = {
  name: 'lean-oclif',
  resolveId(source, importer) {
    if (!importer?.includes('/@oclif/core/')) return null;
    if (source === 'tinyglobby' || source === 'minimatch') return UNREACHED;
    return source === 'wsl-utils' ? LINUX : null;
  },
  load(id) {
    if (id === LINUX) return 'export const isWsl = false; export const powerShellPath = () => undefined;';
    if (id !== UNREACHED) return null;
    return "const fail = () => { throw new Error('lib/oclif.manifest.json is missing: build or install mesosup again'); }; export { fail as glob, fail as minimatch };";
  },
  transform(code, id) {
    if (!id.endsWith('/@oclif/core/lib/config/plugin.js')) return null;
    if (!code.includes(SORTED)) throw new Error(`${id} no longer contains the sort that leanOclif removes`);
    return code.replace(SORTED, '');
  },
};
