/**
 * Packs `dist/` for hosts of one processor architecture: `node bin/payload.ts [--arch x64|arm64]`. Writes the archive
 * to `build/payload/` and prints its path, size and SHA-256.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packPayload } from '../src/install/edge/payload.ts';
import { CPUS, readCpu, runtimePackage } from './release/runtime.ts';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { arch: { type: 'string', default: process.arch } } });
const cpu = readCpu(values.arch);
const { file, bytes, sha256 } = await packPayload({
  root: path.join(root, 'dist'),
  runtime: path.join(await runtimePackage(root, cpu), 'bin/node'),
  arch: CPUS[cpu],
  directory: path.join(root, 'build/payload'),
});
console.log(`${file}\n${bytes} bytes\nSHA-256 ${sha256}`);
