import { rmSync, writeFileSync } from 'node:fs';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClusterState } from '../../cluster/edge/cluster-state.ts';
import { RELEASE } from '../../release.ts';
import { changeContexts } from './context-file.ts';
import { Contexts } from './contexts.ts';

const FIXTURE = path.resolve(import.meta.dirname, '../../../test/fixtures/files-0.1.0/three');

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'mesosup-contexts-'));
});
afterEach(() => rm(home, { recursive: true }));

const contexts = (environment: NodeJS.ProcessEnv = {}) => new Contexts({ environment, home });

async function install(): Promise<void> {
  const directory = path.join(home, '.local/state/mesosup/three');
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o700);
  for (const name of ['cluster.json', 'secrets.json']) {
    await cp(path.join(FIXTURE, name), path.join(directory, name));
    await chmod(path.join(directory, name), 0o600);
  }
}

test('a cluster that was installed from here is a context, with its schedulers and password', async () => {
  await install();
  const { api } = JSON.parse(await readFile(path.join(FIXTURE, 'secrets.json'), 'utf8')) as { api: string };
  const context = await contexts().choose('three');
  expect(context).toMatchObject({
    source: 'installed',
    credentials: { kind: 'password', user: 'mesosup', password: api },
  });
  expect(context.urls).toHaveLength(3);
  for (const url of context.urls) expect(url).toMatch(/^http:\/\/[\w.-]+:8081$/);
});

test('adds, uses and removes a context in a file that only its owner can read', async () => {
  const all = contexts();
  await all.add({ name: 'a', urls: ['http://a'], user: 'u', password: 'p' });
  await all.add({ name: 'b', urls: ['http://b'], token: 't', caFile: '/ca' });
  expect((await stat(all.file)).mode & 0o777).toBe(0o600);
  await all.use('b');
  expect(await all.choose(undefined)).toEqual({
    name: 'b',
    source: 'added',
    urls: ['http://b'],
    credentials: { kind: 'token', token: 't' },
    caFile: '/ca',
  });
  expect(await all.remove('b')).toBe(true);
  expect(await all.remove('b')).toBe(false);
  expect((await all.choose('a')).credentials).toEqual({ kind: 'password', user: 'u', password: 'p' });
  expect(await all.list()).toMatchObject({ current: undefined });
});

test('a choice of the environment, or of a context that is gone, is a choice', async () => {
  expect(await contexts().hasChoice(undefined)).toBe(false);
  expect(await contexts({ MESOSUP_CONTEXT: '', MESOSUP_URL: '' }).hasChoice(undefined)).toBe(false);
  expect(await contexts({ MESOSUP_CONTEXT: '', MESOSUP_URL: 'http://a' }).hasChoice(undefined)).toBe(true);
  expect(await contexts().hasChoice('')).toBe(true);
  await contexts().use('gone');
  expect(await contexts().hasChoice(undefined)).toBe(true);
  await expect(contexts().choose(undefined)).rejects.toThrow('The context in use is "gone"');
});

test('keeps all contexts that are added at the same time, and each name once', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
  await Promise.all(names.map((name) => contexts().add({ name, urls: ['http://a'] })));
  const { contexts: found } = await contexts().list();
  expect(found.map(({ name }) => name)).toEqual(names.toSorted());
  await expect(contexts().add({ name: 'c7', urls: ['http://b'] })).rejects.toThrow('already a context "c7"');
});

test('reads and changes a file to which a link leads, if only its owner can access it', async () => {
  const all = contexts();
  await all.add({ name: 'a', urls: ['http://a'] });
  const target = path.join(home, 'elsewhere.json');
  await rename(all.file, target);
  await symlink(target, all.file);
  await all.add({ name: 'b', urls: ['http://b'] });
  expect((await lstat(all.file)).isSymbolicLink()).toBe(true);
  expect((await all.list()).contexts).toHaveLength(2);
  expect(await readFile(target, 'utf8')).toContain('http://b');
  await chmod(target, 0o644);
  await expect(all.list()).rejects.toThrow('other users can access it');
});

test('removes the lock of a process that was killed', async () => {
  const all = contexts();
  await all.add({ name: 'a', urls: ['http://a'] });
  await writeFile(`${all.file}.lock`, 'killed');
  const names = Array.from({ length: 5 }, (_, i) => `c${i}`);
  await Promise.all(names.map((name) => contexts().add({ name, urls: ['http://a'] })));
  expect((await all.list()).contexts).toHaveLength(6);
  expect(await readdir(path.dirname(all.file))).toEqual(['contexts.json']);
}, 20_000);

test('changes the file again if another process has taken this one for killed, and changed it meanwhile', async () => {
  const { file } = contexts();
  await contexts().add({ name: 'a', urls: ['http://a'] });
  const held = `${file}.lock`;
  let calls = 0;
  await changeContexts(file, (stored) => {
    calls += 1;
    if (calls === 1) {
      // The other process, all at once.
      writeFileSync(held, 'other');
      const others = [...stored.contexts, { name: 'b', urls: ['http://b'] }];
      writeFileSync(file, JSON.stringify({ format: 1, release: RELEASE, contexts: others }));
      setTimeout(() => rmSync(held), 100);
    }
    return { ...stored, contexts: [...stored.contexts, { name: 'c', urls: ['http://c'] }] };
  });
  expect([calls, await contexts().names()]).toEqual([2, ['a', 'b', 'c']]);
  expect(await readdir(path.dirname(file))).toEqual(['contexts.json']);
});

test('uses the URLs that the installer found', async () => {
  await install();
  const state = new ClusterState(path.join(home, '.local/state/mesosup/three'));
  const cluster = await state.cluster();
  if (!cluster) throw new Error('no cluster');
  await state.keepCluster(cluster, {
    schedulers: ['http://10.0.0.1:8081'],
    masters: ['http://10.0.0.2:5050'],
  });
  expect(await contexts().choose('three')).toMatchObject({
    urls: ['http://10.0.0.1:8081'],
  });
});

test('a token of the environment replaces the credentials', async () => {
  await contexts().add({ name: 'a', urls: ['http://a'], user: 'u', password: 'p' });
  const token = { kind: 'token', token: 't' };
  expect((await contexts({ MESOSUP_TOKEN: 't' }).choose('a')).credentials).toEqual(token);
  const url = { MESOSUP_URL: 'http://x/, http://y', MESOSUP_TOKEN: 't' };
  expect(await contexts(url).choose(undefined)).toMatchObject({
    urls: ['http://x', 'http://y'],
    credentials: token,
  });
});

test('refuses a file that others can read, is damaged, or of a later release', async () => {
  const all = contexts();
  await all.add({ name: 'a', urls: ['http://a'] });
  await chmod(all.file, 0o644);
  await expect(all.list()).rejects.toMatchObject({ remedy: `Run: chmod 600 ${all.file}` });
  await chmod(all.file, 0o600);
  await writeFile(all.file, '{"format": 2, "release": "0.9.0", "contexts": []}');
  await expect(all.list()).rejects.toMatchObject({ remedy: expect.stringContaining('0.9.0') });
  for (const damaged of ['', 'x', '{"format": 1, "contexts": [{"name": 1}]}']) {
    await writeFile(all.file, damaged);
    await expect(all.list()).rejects.toThrow('is damaged');
  }
});
