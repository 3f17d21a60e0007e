import { isBuiltin } from 'node:module';
import type { Plugin } from 'rolldown';

const BUILTIN = '\0builtin:';
/** What can be written as a variable's name. */
const NAME = /^[A-Za-z_$][\w$]*$/;
const RESERVED = new Set(['default', 'delete']);

/**
 * An ES module that imports a module of Node's reads all that it exports, among them what is only made when it is
 * read: a WebSocket client of node:http takes 50 ms, node:fs and node:process some 10 ms. Taken off the module one by
 * one, what nobody uses costs nothing.
 */
export const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  resolveId: (source, _importer, { kind }) =>
    isBuiltin(source) && kind === 'import-statement' ? `${BUILTIN}${source.replace(/^node:/, '')}` : null,
  load(id) {
    if (!id.startsWith(BUILTIN)) return null;
    const name = JSON.stringify(`node:${id.slice(BUILTIN.length)}`);
    const names = Object.keys(process.getBuiltinModule(JSON.parse(name)) as object);
    const exported = names
      .filter((key) => NAME.test(key) && !RESERVED.has(key))
      .map((key) => `export const ${key} = /* @__PURE__ */ __read(${JSON.stringify(key)});`);
    return [
      `const __builtin = process.getBuiltinModule(${name});`,
      'const __read = (key) => __builtin[key];',
      'export default __builtin;',
      ...exported,
    ].join('\n');
  },
};

const ADD_ON = '\0add-on';

/** ssh2 does without its compiled add-ons, which are not built here: what looks for one finds that there is none. */
export const noAddOns: Plugin = {
  name: 'no-add-ons',
  resolveId: (source) => (source === 'cpu-features' || source.endsWith('.node') ? ADD_ON : null),
  load: (id) => (id === ADD_ON ? "throw new Error('there is no such add-on');" : null),
};

const UNREACHED = '\0unreached';
const LINUX = '\0linux';
const SORTED = '.sort((a, b) => a.id.localeCompare(b.id))';

/**
 * What oclif loads at each start and this program never comes to: the search for commands, which the manifest makes
 * needless; Windows; and the tables of the languages, for commands that the manifest has in order.
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
    return "const fail = () => { throw new Error('lib/oclif.manifest.json is missing: build or install mesosup anew'); }; export { fail as glob, fail as minimatch };";
  },
  transform(code, id) {
    if (!id.endsWith('/@oclif/core/lib/config/plugin.js')) return null;
    if (!code.includes(SORTED)) throw new Error(`${id} no longer sorts commands as leanOclif knows it`);
    return code.replace(SORTED, '');
  },
};
