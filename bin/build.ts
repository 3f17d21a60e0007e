/**
 * Builds `dist/`, laid out as it goes onto a host: `bin/node` (the runtime), `lib/` (a bundle for each program
 * and oclif command), `executors/docker` (the executor's supervisor) and `templates/`.
 */
import { chmod, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'rolldown';
import { fs, glob } from 'zx';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

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

function bundle(input: Record<string, string>, codeSplitting: boolean) {
  return build({
    input,
    cwd: root,
    platform: 'node',
    logLevel: 'warn',
    plugins: [leanHttp],
    output: {
      dir: path.join(dist, 'lib'),
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

async function writePackage(): Promise<void> {
  const { name, version, description, license, oclif } = JSON.parse(
    await readFile(path.join(root, 'package.json'), 'utf8'),
  );
  const pkg = { name, version, description, license, type: 'module', oclif };
  await writeFile(path.join(dist, 'package.json'), `${JSON.stringify(pkg, null, 2)}\n`);
}

await rm(dist, { recursive: true, force: true });
await mkdir(path.join(dist, 'bin'), { recursive: true });
await Promise.all([
  symlink(await fs.realpath(process.execPath), path.join(dist, 'bin/node')),
  cp(path.join(root, 'templates'), path.join(dist, 'templates'), { recursive: true }),
  writePackage(),
  bundle({ cli: 'src/cli.ts', ...(await commandEntries()) }, true),
  ...Object.entries(programs).map(([name, file]) => bundle({ [name]: file }, false)),
]);
await mkdir(path.join(dist, 'executors'));
await cp(path.join(root, 'templates/executor/docker.sh'), path.join(dist, 'executors/docker'));
await chmod(path.join(dist, 'executors/docker'), 0o755);
