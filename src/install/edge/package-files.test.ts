import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Plan } from '../plan.ts';
import { checkPackageFiles } from './package-files.ts';

let directory: string;
let file: string;
const sha256 = createHash('sha256').update('a package').digest('hex');

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-packages-'));
  file = path.join(directory, 'mesos_1_amd64.deb');
  await writeFile(file, 'a package');
});
afterAll(() => rm(directory, { recursive: true }));

function plan(upload: string, digest: string): Plan {
  const resource = { kind: 'package' as const, name: 'mesos', file: { upload }, sha256: digest };
  const item = {
    id: 'package:mesos',
    action: 'install' as const,
    title: 'package mesos',
    diff: [],
    resource,
  };
  const hosts = ['h1', 'h2'].map((host) => ({ host, items: [item], basis: '' }));
  return { format: 1, command: 'install', cluster: 'c', version: '1', hosts };
}

const asked = (digest: string): string => {
  throw new Error(`the cache was asked for ${digest}`);
};
const none = { file: asked, imageFile: asked };
const only = (name: string) => ({ file: () => name, imageFile: asked });

test('accepts the package with the right SHA-256', async () => {
  await expect(checkPackageFiles(plan(file, sha256), none)).resolves.toBeUndefined();
});

test('reports a wrong file with both digests, and a missing file with the reason and its hosts', async () => {
  const other = 'ab'.repeat(32);
  const wrong = await checkPackageFiles(plan(file, other), none).catch((error: unknown) => error);
  expect(wrong).toBeInstanceOf(MesosupError);
  expect((wrong as Error).message).toContain(`has the SHA-256 ${sha256}, not ${other}`);
  expect((wrong as Error).message).toContain('the package is for h1, h2');
  await expect(checkPackageFiles(plan(`${file}.none`, sha256), none)).rejects.toThrow(
    "can't be read: ENOENT",
  );
});

test('checks the files of the cache, and names their hosts', async () => {
  const files = [{ name: 'tini', version: '1', sha256, bytes: 9, control: '' }];
  const hosts = ['h1', 'h2'].map((host) => ({ host, items: [], basis: '', files }));
  const cached = { ...plan(file, sha256), hosts };
  await expect(checkPackageFiles(cached, only(file))).resolves.toBeUndefined();
  const missing = checkPackageFiles(cached, only(`${file}.none`));
  await expect(missing).rejects.toThrow('the package is for h1, h2');
  await expect(missing).rejects.toMatchObject({ remedy: expect.stringContaining('make a new plan') });
  await writeFile(`${file}.cut`, 'a pack');
  await expect(checkPackageFiles(cached, only(`${file}.cut`))).rejects.toMatchObject({
    remedy: expect.stringContaining('Remove the file'),
  });
});
