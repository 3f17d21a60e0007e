import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keptProgram } from './kept-programs.ts';

let directory: string;
let root: string;
let installed: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-kept-'));
  root = path.join(directory, 'dist');
  installed = path.join(directory, 'opt');
  const archives = path.join(directory, 'build/payload');
  await mkdir(archives, { recursive: true });
  for (const version of ['0.2.0', '0.3.0']) {
    await mkdir(path.join(installed, version), { recursive: true });
    await writeFile(path.join(installed, version, 'about'), version);
  }
  await execa('tar', [
    ...['-czf', path.join(archives, 'mesosup-0.1.0+5f3e-linux-x64.tar.gz')],
    ...['-C', path.join(installed, '0.2.0'), 'about'],
  ]);
});
afterAll(() => rm(directory, { recursive: true }));

test('finds a version that is installed, and one of which only the archive was kept', async () => {
  expect(await keptProgram(root, '0.3.0', installed)).toBe(path.join(installed, '0.3.0'));
  for (const version of ['0.1.0', '0.1.0+5f3e']) {
    const found = await keptProgram(root, version, installed);
    expect(path.basename(found)).toBe('0.1.0+5f3e');
    expect(await readFile(path.join(found, 'about'), 'utf8')).toBe('0.2.0');
  }
});

test('names the versions that there are', async () => {
  await expect(keptProgram(root, '0.9.0', installed)).rejects.toThrow(
    'there is no mesosup 0.9.0 on this machine, only 0.2.0, 0.3.0, 0.1.0+5f3e',
  );
});
