/**
 * Packs `dist/` for hosts of one kind of processor: `node bin/payload.ts [--arch x64|arm64]`. The archive is made in
 * `build/payload/`; its path, size and SHA-256 are printed.
 */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Arch, packPayload } from '../src/install/edge/payload.ts';

const root = path.resolve(import.meta.dirname, '..');
const ARCHS: Readonly<Record<string, Arch>> = { x64: 'amd64', arm64: 'arm64' };

const { values } = parseArgs({ options: { arch: { type: 'string', default: process.arch } } });
const arch = ARCHS[values.arch];
if (!arch) throw new Error(`--arch is x64 or arm64, not ${values.arch}`);
const runtime = path.join(root, `node_modules/node-linux-${values.arch}/bin/node`);
await access(runtime).catch(() => {
  throw new Error(`${runtime} is not there: npm brings it with the package node-linux-${values.arch}`);
});
const { file, bytes, sha256 } = await packPayload({
  root: path.join(root, 'dist'),
  runtime,
  arch,
  directory: path.join(root, 'build/payload'),
});
console.log(`${file}\n${bytes} bytes\nSHA-256 ${sha256}`);
