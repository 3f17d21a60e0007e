/**
 * Builds a release: `npm run release -- --url URL --key FILE [--out DIR] [--arch x64] [--maintainer 'NAME <MAIL>']`.
 *
 * Serve DIR (default: `build/release`) at URL. It contains `bootstrap.sh` and a directory, named after the version, with
 * the archives, the npm package, the Debian packages, their checksums and the signature of the checksums. FILE is a key
 * of OpenSSH. Without URL and key there is no `bootstrap.sh`, because it could not verify its downloads.
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

const { values: flags } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(root, 'build/release') },
    url: { type: 'string' },
    key: { type: 'string' },
    arch: { type: 'string', multiple: true, default: Object.keys(CPUS) },
    maintainer: { type: 'string', default: 'mesosup <mesosup@localhost>' },
  },
});
const cpus = [...new Set(flags.arch.map(readCpu))];
if (flags.url !== undefined && !/^https?:\/\/[^\s'"\\]+$/.test(flags.url)) {
  throw new Error(`--url must be the http(s) URL where the release will be served, not ${flags.url}`);
}
const out = path.resolve(flags.out);
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
  return { archive, tree, measured, debian: await debianPackage(archive, tree, flags.maintainer, directory) };
}

const dist = path.join(work, 'dist');
await rm(directory, { recursive: true, force: true });
await mkdir(directory, { recursive: true });
await $({ cwd: root })`${process.execPath} bin/build.ts --release --out ${dist}`;
const made: Made[] = [];
// Sequential, so that the measurements do not disturb each other.
for (const cpu of cpus) made.push(await make(cpu, dist));
const [first] = made;
if (!first) throw new Error('--arch names no processor');
const npm = await npmPackage(first.tree, version, directory);
// packPayload's metadata files.
for (const { archive } of made) await rm(path.join(directory, `${archive.arch}.json`));
const files = made.flatMap(({ archive, debian }) => [path.basename(archive.file), debian]);
await writeSums(directory, [...files, npm]);
if (flags.key !== undefined) await signSums(directory, flags.key);
if (flags.key !== undefined && flags.url !== undefined) {
  const needed = Math.max(...made.map(({ measured }) => measured.bytes + measured.unpackedBytes));
  const script = releaseScript(await readFile(path.join(root, 'bin/bootstrap.sh'), 'utf8'), {
    RELEASE_URL: flags.url.replace(/\/+$/, ''),
    RELEASE_VERSION: version,
    RELEASE_KEY: await publicKey(flags.key),
    RELEASE_MB: String(Math.ceil(needed / 1e6)),
  });
  await writeFile(path.join(out, 'bootstrap.sh'), script, { mode: 0o755 });
}
await rm(work, { recursive: true });

for (const { archive, measured } of made) {
  console.log(`${path.basename(archive.file)}: ${renderMeasured(measured)}`);
}
console.log(`mesosup ${version} is in ${out}`);
if (flags.key === undefined)
  console.log('It is not signed and has no bootstrap.sh: add --key FILE and --url URL.');
else if (flags.url === undefined) console.log('It has no bootstrap.sh: add --url URL.');
