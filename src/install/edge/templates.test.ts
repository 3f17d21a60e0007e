import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { scripts, templates } from '../../../test/install/hosts.ts';
import { hostScripts, loadTemplates } from './templates.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mesosup-templates-'));
});
afterEach(() => rm(root, { recursive: true }));

test('reads all templates of an installation, in all folders', async () => {
  await cp(path.resolve(import.meta.dirname, '../../../templates'), path.join(root, 'templates'), {
    recursive: true,
  });
  const loaded = await loadTemplates(root);
  expect(loaded).toMatchObject(templates);
  expect(hostScripts(root, loaded)).toEqual(scripts);
});

test('refuses an installation without templates, and names it', async () => {
  await expect(loadTemplates(root)).rejects.toMatchObject({
    name: 'MesosupError',
    message: expect.stringContaining(`the installation at ${root} has no templates`),
  });
});

test('refuses an installation that lacks a host script, and names the script', () => {
  const { 'host/apply/files.sh': _, ...rest } = templates;
  expect(() => hostScripts('/opt/x', rest)).toThrow(
    expect.objectContaining({
      name: 'MesosupError',
      message: 'the installation at /opt/x lacks templates/host/apply/files.sh',
      remedy: expect.stringContaining('npm run build'),
    }),
  );
});
