import { existsSync, lstatSync } from 'node:fs';
import { mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLink, removeLink } from './executor-link.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mesosup-link-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('creates the link and its directories, and removes all of them', async () => {
  const at = path.join(dir, 'var/executors/docker');
  const { link } = await makeLink('/built/docker', at);
  expect(await readlink(at)).toBe('/built/docker');
  expect(link?.madeDirectories).toEqual([path.join(dir, 'var/executors'), path.join(dir, 'var')]);
  if (link) await removeLink(link);
  expect(existsSync(path.join(dir, 'var'))).toBe(false);
});

test('keeps an existing file and returns the reason', async () => {
  const at = path.join(dir, 'docker');
  await writeFile(at, 'theirs');
  const { link, reason } = await makeLink('/built/docker', at);
  expect(link).toBeUndefined();
  expect(reason).toContain(at);
  expect(lstatSync(at).isFile()).toBe(true);
});

test('uses an existing identical link, and does not remove it', async () => {
  const at = path.join(dir, 'docker');
  await symlink('/built/docker', at);
  expect(await makeLink('/built/docker', at)).toEqual({});
});

test('keeps a link whose target has changed', async () => {
  const at = path.join(dir, 'docker');
  const { link } = await makeLink('/built/docker', at);
  await rm(at);
  await symlink('/theirs', at);
  if (link) await removeLink(link);
  expect(await readlink(at)).toBe('/theirs');
});

test('keeps directories that are not empty', async () => {
  const at = path.join(dir, 'var/docker');
  const { link } = await makeLink('/built/docker', at);
  await mkdir(path.join(dir, 'var/other'));
  if (link) await removeLink(link);
  expect(existsSync(path.join(dir, 'var/other'))).toBe(true);
  expect(existsSync(at)).toBe(false);
});
