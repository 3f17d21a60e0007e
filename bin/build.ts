/**
 * Builds `dist/`, or the directory that `--out` names, laid out as it goes onto a host: `bin/mesosup` and `bin/node`
 * (the runtime), `lib/` (a bundle for each program and oclif command), `executors/docker` (the executor's supervisor),
 * `templates/`, and `LICENSES` of everything in it. `--release` says that the version of package.json is all there is
 * to say.
 */
import { chmod, cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'rolldown';
import { fs, glob } from 'zx';
import { licences } from './release/licences.ts';

const root = path.resolve(import.meta.dirname, '..');
const { values: given } = parseArgs({
  options: { release: { type: 'boolean', default: false }, out: { type: 'string', default: 'dist' } },
});
const dist = path.resolve(root, given.out);
/** Where it is built, so that a build which fails leaves the last one as it was. */
const draft = path.join(root, 'build', `new-${path.basename(dist)}`);

const programs = {
  scheduler: 'src/scheduler/main.ts',
  executor: 'src/executor/main.ts',
  master: 'src/embedded/master-main.ts',
  agent: 'src/embedded/agent-main.ts',
  'command-executor': 'src/embedded/command-executor-main.ts',
  'demo-supervisor': 'src/demo/supervisor-main.ts',
};

// CommonJS dependencies call require for Node's own modules; an ES module has none unless it makes one.
const banner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

// An ES module that imports names from node:http evaluates all that module exports, among them a WebSocket client
// that takes 50 ms to load: more than all the rest of a program's start. Taken off the module they cost nothing.
const HTTP = '\0node:http';
const leanHttp: Plugin = {
  name: 'lean-http',
  resolveId: (source, _importer, { kind }) =>
    source === 'node:http' && kind === 'import-statement' ? HTTP : null,
  load: (id) =>
    id === HTTP
      ? "export const { Agent, createServer, request } = process.getBuiltinModule('node:http');"
      : null,
};

// ssh2 does without its compiled add-ons, which are not built here: what looks for one finds that there is none.
const ADD_ON = '\0add-on';
const noAddOns: Plugin = {
  name: 'no-add-ons',
  resolveId: (source) => (source === 'cpu-features' || source.endsWith('.node') ? ADD_ON : null),
  load: (id) => (id === ADD_ON ? "throw new Error('there is no such add-on');" : null),
};

function bundle(input: Record<string, string>, codeSplitting: boolean) {
  return build({
    input,
    cwd: root,
    platform: 'node',
    logLevel: 'warn',
    plugins: [leanHttp, noAddOns],
    output: {
      dir: path.join(draft, 'lib'),
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name]-[hash].js',
      codeSplitting,
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
      postBanner: banner,
    },
  });
}

async function commandEntries(): Promise<Record<string, string>> {
  const files = await glob('src/commands/**/*.ts', { cwd: root, ignore: ['**/*.test.ts'] });
  return Object.fromEntries(files.map((f) => [f.slice('src/'.length, -'.ts'.length), f]));
}

/** npm's Node, which runs on any glibc 2.28; this one, which may be a distribution's own, only where there is none. */
async function runtime(): Promise<string> {
  const packed = path.join(root, `node_modules/node-linux-${process.arch}/bin/node`);
  return fs.realpath((await fs.pathExists(packed)) ? packed : process.execPath);
}

async function writePackage(): Promise<void> {
  const { name, version, description, license, bin, optionalDependencies, oclif } = JSON.parse(
    await readFile(path.join(root, 'package.json'), 'utf8'),
  );
  // Without `release` a payload's version ends in a hash of its content. npm brings the runtime as a dependency.
  const { release } = given;
  const pkg = {
    name,
    version,
    release,
    description,
    license,
    type: 'module',
    bin,
    optionalDependencies,
    oclif,
  };
  await writeFile(path.join(draft, 'package.json'), `${JSON.stringify(pkg, null, 2)}\n`);
}

await rm(draft, { recursive: true, force: true });
await mkdir(path.join(draft, 'bin'), { recursive: true });
const node = await runtime();
const [bundles] = await Promise.all([
  Promise.all([
    bundle({ cli: 'src/cli.ts', ...(await commandEntries()) }, true),
    // What only schedulers among several need is kept apart, so that one alone needn't even parse it.
    ...Object.entries(programs).map(([name, file]) => bundle({ [name]: file }, name === 'scheduler')),
  ]),
  symlink(node, path.join(draft, 'bin/node')),
  cp(path.join(root, 'bin/mesosup'), path.join(draft, 'bin/mesosup')),
  cp(path.join(root, 'templates'), path.join(draft, 'templates'), { recursive: true }),
  writePackage(),
]);
const modules = bundles.flatMap(({ output }) =>
  output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : [])),
);
await writeFile(path.join(draft, 'LICENSES'), await licences(root, modules, node));
await mkdir(path.join(draft, 'executors'));
await cp(path.join(root, 'templates/executor/docker.sh'), path.join(draft, 'executors/docker'));
await chmod(path.join(draft, 'executors/docker'), 0o755);
await rm(dist, { recursive: true, force: true });
await mkdir(path.dirname(dist), { recursive: true });
await rename(draft, dist);
