import { isBuiltin } from 'node:module';
import type { Plugin } from 'rolldown';

const BUILTIN = '\0builtin:';
/** Is always a file of its own, with which another one would be loaded. */
const ROLLDOWN = '\0rolldown/runtime.js';
/** Names that are valid identifiers. */
const NAME = /^[A-Za-z_$][\w$]*$/;
const RESERVED = new Set(['default', 'delete']);
/** Loading these, or some of their exports, takes 1 to 10 ms. */
const HEAVY = new Set(['child_process', 'crypto', 'fs/promises', 'https', 'tls', 'util']);

/**
 * An ES module that imports one of Node's modules reads all of its exports. Some are created only when they are read: the
 * WebSocket client of node:http takes 50 ms, node:fs and node:process some 10 ms. The bundles read only the exports
 * that they use, and load heavy modules when their functions are called. Each importer reads them itself: a shared file
 * would take longer to load.
 */
export const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  resolveId: (source, importer, { kind }) =>
    isBuiltin(source) && kind === 'import-statement' && importer !== ROLLDOWN
      ? `${BUILTIN}${source.replace(/^node:/, '')}?${importer}`
      : null,
  load(id) {
    if (!id.startsWith(BUILTIN)) return null;
    const module = id.slice(BUILTIN.length, id.indexOf('?'));
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

const LAZY = '\0lazy:';
/** Loading one of these takes 5 to 17 ms, and most programs that can use them never do. */
const SELDOM = new Set(['crypto', 'https', 'http2', 'tls']);

/** The scheduler's dependencies, which load them at once. */
const EAGER = /\/node_modules\/(fastify|light-my-request|prom-client|ws)\//;

/** Loads such a module when a dependency reads something of it. */
export const seldomBuiltins: Plugin = {
  name: 'seldom-builtins',
  resolveId(source, importer, { kind }) {
    const module = source.replace(/^node:/, '');
    if (kind !== 'require-call' || !SELDOM.has(module) || !EAGER.test(importer ?? '')) return null;
    return LAZY + module;
  },
  load(id) {
    if (!id.startsWith(LAZY)) return null;
    const module = JSON.stringify(`node:${id.slice(LAZY.length)}`);
    return `module.exports = new Proxy({}, { get: (_, key) => process.getBuiltinModule(${module})[key] });`;
  },
};

const ADD_ON = '\0add-on';

/** ssh2 works without its compiled add-ons, which are not built: each import of one fails. */
export const noAddOns: Plugin = {
  name: 'no-add-ons',
  resolveId: (source) => (source === 'cpu-features' || source.endsWith('.node') ? ADD_ON : null),
  load: (id) => (id === ADD_ON ? "throw new Error('this add-on is not available');" : null),
};

const UNREACHED = '\0unreached';
const DEBUG = '\0debug';
const SORTED = '.sort((a, b) => a.id.localeCompare(b.id))';
const WSL = "await import('wsl-utils')";
const READ = 'await (0, promises_1.readFile)(';
const THEME = 'this.theme = await this.loadTheme();';
/** As TypeScript writes an import: `const os_1 = require("node:os");`, also within `__importDefault()`. */
const IMPORT = /^(?:const|var) (\w+_\d+) = ((?:__importDefault\()?require\("[^"]+"\)\)?);$/gm;

/**
 * Removes what oclif does at each start but this program never uses: the search for commands, which the manifest
 * replaces; its log; Windows; colours of its help; and the language tables for sorting commands, which the manifest has
 * sorted already. The manifest is read at once, instead of on another thread. Of the rest, each module is loaded when
 * another one uses it, which for many never happens.
 */
export const leanOclif: Plugin = {
  name: 'lean-oclif',
  resolveId(source, importer) {
    if (!importer?.includes('/@oclif/core/')) return null;
    if (source === 'tinyglobby' || source === 'minimatch') return UNREACHED;
    return source === 'debug' ? DEBUG : null;
  },
  load(id) {
    if (id === DEBUG) return 'module.exports = () => Object.assign(() => {}, { enabled: false });';
    if (id !== UNREACHED) return null;
    return "const fail = () => { throw new Error('lib/oclif.manifest.json is missing: build or install mesosup again'); }; export { fail as glob, fail as minimatch };";
  },
  transform(code, id) {
    if (!/\/@oclif\/core\/lib\/.*\.js$/.test(id)) return null;
    let lean = code;
    if (id.endsWith('/config/plugin.js')) lean = without(lean, SORTED, '', id);
    if (id.endsWith('/util/os.js')) lean = without(lean, WSL, '{ isWsl: false }', id);
    if (id.endsWith('/util/fs.js')) lean = without(lean, READ, '(0, node_fs_1.readFileSync)(', id);
    if (id.endsWith('/config/config.js')) lean = without(lean, THEME, '', id);
    return loadedWhenUsed(lean);
  },
};

function without(code: string, part: string, replacement: string, id: string): string {
  if (!code.includes(part)) throw new Error(`${id} no longer contains what leanOclif removes: ${part}`);
  return code.replaceAll(part, replacement);
}

/** Turns the imports of a compiled module into functions, and each use of one into a call. */
function loadedWhenUsed(code: string): string {
  const names: string[] = [];
  const declared = code.replace(IMPORT, (_, name: string, value: string) => {
    names.push(name);
    return `const ${name} = () => ${value};`;
  });
  return names.reduce(
    (text, name) => text.replaceAll(new RegExp(`(?<![\\w.])${name}(?=[.,)\\]])`, 'g'), `(${name}())`),
    declared,
  );
}
