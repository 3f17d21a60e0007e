import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTarFile } from './tar-entry.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mesosup-tar-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const text = 'root:x:0:0::/root:/bin/sh\n'.repeat(50);

async function read(name: string, limit = 10_000, step = 100): Promise<string> {
  const tar = execFileSync('tar', ['-C', root, '-cf', '-', name]);
  const chunks = (async function* () {
    for (let at = 0; at < tar.length; at += step) yield tar.subarray(at, at + step);
  })();
  return (await readTarFile(chunks, limit)).toString();
}

test('reads a regular file, for any chunk size', async () => {
  writeFileSync(path.join(root, 'passwd'), text);
  for (const step of [1, 511, 512, 513, 100_000]) expect(await read('passwd', 10_000, step)).toBe(text);
});

test('refuses a link, a directory and a file over the limit', async () => {
  symlinkSync('/etc/shadow', path.join(root, 'passwd'));
  await expect(read('passwd')).rejects.toThrow('not a regular file');
  await expect(read('.')).rejects.toThrow('not a regular file');
  writeFileSync(path.join(root, 'long'), text);
  await expect(read('long', text.length - 1)).rejects.toThrow('longer than');
});

test('refuses an archive that ends early', async () => {
  const header = Buffer.alloc(512);
  header.write('0000144', 124);
  header.write('0', 156);
  const chunks = (async function* () {
    yield header;
  })();
  await expect(readTarFile(chunks, 1000)).rejects.toThrow('ends before');
});
