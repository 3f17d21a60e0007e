/**
 * Builds a release: `npm run release -- --url URL --key FILE [--out DIR] [--arch x64] [--maintainer 'NAME <MAIL>']`.
 *
 * DIR (`build/release`) is what is to be served at URL: `bootstrap.sh`, and a directory named by the version with the
 * archives, the npm package, the Debian packages, their sums and the sums' signature. FILE is a key of OpenSSH. Without
 * a URL and a key there is no `bootstrap.sh`, since nobody could check what it downloads.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { $ } from 'zx';
import { type PayloadArchive, packPayload } from '../src/install/edge/payload.ts';
import { releaseScript } from './release/bootstrap-script.ts';
import { debianPackage } from './release/debian-package.ts';
import { type Measured, measure, renderMeasured } from './release/measure.ts';
import { npmPackage } from './release/npm-package.ts';
import { CPUS, type Cpu, readCpu, runtimePackage } from './release/runtime.ts';
import { publicKey, signSums, writeSums } from './release/sums.ts';

const root = path.resolve(import.meta.dirname, '..');
const work = path.join(root, 'build/release-work');

const { values: given } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(root, 'build/release') },
    url: { type: 'string' },
    key: { type: 'string' },
    arch: { type: 'string', multiple: true, default: Object.keys(CPUS) },
    maintainer: { type: 'string', default: 'mesosup <mesosup@localhost>' },
  },
});
const cpus = [...new Set(given.arch.map(readCpu))];
if (given.url !== undefined && !/^https?:\/\/[^\s'"\\]+$/.test(given.url)) {
  throw new Error(`--url is where the release will be served, as http(s)://…, not ${given.url}`);
}
const out = path.resolve(given.out);
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
const directory = path.join(out, version);

interface Made {
  readonly archive: PayloadArchive;
  readonly tree: string;
  readonly measured: Measured;
  readonly debian: string;
}

async function make(cpu: Cpu, dist: string): Promise<Made> {
  const runtime = path.join(await runtimePackage(root, cpu), 'bin/node');
  const archive = await packPayload({ root: dist, runtime, arch: CPUS[cpu], directory });
  const tree = path.join(work, cpu);
  const measured = await measure(archive, tree);
  return { archive, tree, measured, debian: await debianPackage(archive, tree, given.maintainer, directory) };
}

const dist = path.join(work, 'dist');
await rm(directory, { recursive: true, force: true });
await mkdir(directory, { recursive: true });
await $({ cwd: root })`${process.execPath} bin/build.ts --release --out ${dist}`;
const made: Made[] = [];
// One after the other: what is measured shall not wait for the next.
for (const cpu of cpus) made.push(await make(cpu, dist));
const [first] = made;
if (!first) throw new Error('--arch names no processor');
const npm = await npmPackage(first.tree, version, directory);
// packPayload's own notes of what it made.
for (const { archive } of made) await rm(path.join(directory, `${archive.arch}.json`));
const files = made.flatMap(({ archive, debian }) => [path.basename(archive.file), debian]);
await writeSums(directory, [...files, npm]);
if (given.key !== undefined) await signSums(directory, given.key);
if (given.key !== undefined && given.url !== undefined) {
  const needed = Math.max(...made.map(({ measured }) => measured.bytes + measured.unpackedBytes));
  const script = releaseScript(await readFile(path.join(root, 'bin/bootstrap.sh'), 'utf8'), {
    RELEASE_URL: given.url.replace(/\/+$/, ''),
    RELEASE_VERSION: version,
    RELEASE_KEY: await publicKey(given.key),
    RELEASE_MB: String(Math.ceil(needed / 1e6)),
  });
  await writeFile(path.join(out, 'bootstrap.sh'), script, { mode: 0o755 });
}
await rm(work, { recursive: true });

for (const { archive, measured } of made) {
  console.log(`${path.basename(archive.file)}: ${renderMeasured(measured)}`);
}
console.log(`mesosup ${version} is in ${out}`);
if (given.key === undefined)
  console.log('It is not signed, and has no bootstrap.sh: give --key FILE and --url URL.');
else if (given.url === undefined) console.log('It has no bootstrap.sh: give --url URL.');
