/**
 * Builds `dist/`, or the directory of `--out`, in the layout of an installation: `bin/mesosup` and `bin/node` (the
 * runtime), `lib/` (a bundle for each program and oclif command, and `ui/`, the web page), `executors/docker` (the executor's supervisor),
 * `templates/`, `share/` (man page and completion), and `LICENSES`. With `--release`, the version is exactly that of
 * package.json.
 */
import { chmod, cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Interfaces } from '@oclif/core';
import { build, type OutputOptions } from 'rolldown';
import { fs, glob } from 'zx';
import { compressFiles } from './bundle/compress.ts';
import { writeHelpPages } from './bundle/help-pages.ts';
import { loadCommands, startManifest } from './bundle/manifest.ts';
import { buildPage } from './bundle/page.ts';
import { leanBuiltins, leanOclif, noAddOns, seldomBuiltins } from './bundle/plugins.ts';
import { writeShare } from './bundle/share.ts';
import { licences } from './release/licences.ts';

const root = path.resolve(import.meta.dirname, '..');
const { values: flags } = parseArgs({
  options: { release: { type: 'boolean', default: false }, out: { type: 'string', default: 'dist' } },
});
const dist = path.resolve(root, flags.out);
/** The build directory. A failed build leaves the previous `dist/` unchanged. */
const draft = path.join(root, 'build', `new-${path.basename(dist)}`);

const programs = {
  scheduler: 'src/scheduler/main.ts',
  executor: 'src/executor/main.ts',
  master: 'src/embedded/master-main.ts',
  agent: 'src/embedded/agent-main.ts',
  'command-executor': 'src/embedded/command-executor-main.ts',
  'demo-supervisor': 'src/demo/supervisor-main.ts',
  lb: 'src/lb/main.ts',
  monitoring: 'src/monitoring/main.ts',
};

/** Programs whose code for several schedulers, exec, the end and others is split off, so that a start need not parse it. */
const SPLIT = new Set(['scheduler', 'executor', 'demo-supervisor']);

/**
 * What most commands load, in few files, since each one takes as long as some 20 KB of code: oclif with what all commands
 * need, what most others need, flags of programs, schemas, and what the commands need that change hosts or use the API.
 * A group takes along what its files import, except for what a group of a higher priority has taken.
 */
const COMMAND_GROUPS = [
  { name: 'command', priority: 4, test: /\/src\/cli\/(run-command|base-command)\.ts$/ },
  {
    name: 'basis',
    priority: 3,
    test: /\/src\/(cluster\/(urls|edge\/(cluster-state|replace-file))|errors\/unreadable|hosts\/quote|text\/(count|columns|few-lines))\.ts$/,
  },
  {
    name: 'flags',
    priority: 3,
    test: /\/src\/(lb\/options|scheduler\/flags\/(flag-table|unknown-flags))\.ts$/,
  },
  { name: 'schemas', priority: 3, test: /\/(node_modules\/zod\/.*|src\/stored\/(reader|record)\.ts)$/ },
  { name: 'change-command', priority: 2, test: /\/src\/cli\/(change-command|flags\/change-flags)\.ts$/ },
  {
    name: 'api-command',
    priority: 1,
    test: /\/src\/(cli\/(api-command|flags\/output-flag)|text\/table|apps\/app-rows)\.ts$/,
  },
];

function bundle(input: Record<string, string>, codeSplitting: NonNullable<OutputOptions['codeSplitting']>) {
  return build({
    input,
    cwd: root,
    platform: 'node',
    logLevel: 'warn',
    // The runtime is part of the build, so oclif need not check its version.
    transform: { define: { 'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"' } },
    plugins: [leanBuiltins, seldomBuiltins, leanOclif, noAddOns],
    output: {
      dir: path.join(draft, 'lib'),
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name]-[hash].js',
      codeSplitting,
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    },
  });
}

async function commandEntries(): Promise<Record<string, string>> {
  const files = await glob('src/cli/commands/**/*.ts', { cwd: root, ignore: ['**/*.test.ts'] });
  return Object.fromEntries(files.map((f) => [f.slice('src/cli/'.length, -'.ts'.length), f]));
}

/** npm's Node, which needs only glibc 2.28. Without it, the current Node, which may be a distribution's. */
async function runtime(): Promise<string> {
  const packed = path.join(root, `node_modules/node-linux-${process.arch}/bin/node`);
  return fs.realpath((await fs.pathExists(packed)) ? packed : process.execPath);
}

async function packageJson(): Promise<Interfaces.PJSON> {
  const { name, version, description, license, bin, optionalDependencies, oclif } = JSON.parse(
    await readFile(path.join(root, 'package.json'), 'utf8'),
  );
  // Without `release`, a payload's version ends in a hash of its content. npm installs the runtime as a dependency.
  const { release } = flags;
  return { name, version, release, description, license, type: 'module', bin, optionalDependencies, oclif };
}

async function page(out: string): Promise<string[]> {
  const modules = await buildPage(root, out);
  await compressFiles(out);
  return modules;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function writeJson(file: string, value: unknown): Promise<void> {
  // Text with any other character takes twice the memory, and 1 ms more of each start to parse.
  const ascii = JSON.stringify(value, null, 2).replace(/[\u0080-\uffff]/g, escaped);
  return writeFile(path.join(draft, file), `${ascii}\n`);
}

const pkg = await packageJson();
await rm(draft, { recursive: true, force: true });
await mkdir(path.join(draft, 'bin'), { recursive: true });
const node = await runtime();
const [bundles, pageModules] = await Promise.all([
  Promise.all([
    bundle(
      { cli: 'src/cli/main.ts', help: 'src/cli/help.ts', ...(await commandEntries()) },
      { groups: COMMAND_GROUPS },
    ),
    ...Object.entries(programs).map(([name, file]) => bundle({ [name]: file }, SPLIT.has(name))),
  ]),
  page(path.join(draft, 'lib/ui')),
  symlink(node, path.join(draft, 'bin/node')),
  cp(path.join(root, 'bin/mesosup'), path.join(draft, 'bin/mesosup')),
  cp(path.join(root, 'templates'), path.join(draft, 'templates'), { recursive: true }),
  writeJson('package.json', pkg),
]);
const modules = bundles.flatMap(({ output }) =>
  output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : [])),
);
await writeFile(path.join(draft, 'LICENSES'), await licences(root, [...modules, ...pageModules], node));
const { config, manifest } = await loadCommands(path.join(draft, 'lib'), pkg);
await writeHelpPages(path.join(draft, 'lib'), config);
await writeJson('lib/commands.json', manifest);
await writeJson('lib/oclif.manifest.json', startManifest(manifest));
await writeShare(path.join(draft, 'share'), manifest);
await mkdir(path.join(draft, 'executors'));
await cp(path.join(root, 'templates/executor/docker.sh'), path.join(draft, 'executors/docker'));
await chmod(path.join(draft, 'executors/docker'), 0o755);
await rm(dist, { recursive: true, force: true });
await mkdir(path.dirname(dist), { recursive: true });
await rename(draft, dist);
