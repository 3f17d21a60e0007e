import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCluster, type Surroundings, writeSpec } from './load.ts';

let root: string;
let where: Surroundings;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mesosup-load-'));
  where = { directory: path.join(root, 'work'), home: '/home/me', stateHome: path.join(root, 'state') };
  await mkdir(where.directory);
});
afterEach(() => rm(root, { recursive: true }));

const write = (name: string, text: string) => writeFile(path.join(where.directory, name), text);

test('reads cluster.yaml in the working directory, with paths relative to it', async () => {
  await write(
    'cluster.yaml',
    'name: prod\nssh: {key: ~/.ssh/k}\nhosts: [a]\nmesos: {source: clusterd, repository: {key: k.asc}}',
  );
  const { cluster, state } = await loadCluster({ overrides: {} }, where);
  expect(cluster).toMatchObject({
    name: 'prod',
    mesos: { repository: { key: { file: path.join(where.directory, 'k.asc') } } },
    hosts: [{ connection: { key: '/home/me/.ssh/k' } }],
  });
  expect(state.directory).toBe(path.join(where.stateHome, 'prod'));
});

test('with --hosts, reads only a file set with --file, and replaces its hosts', async () => {
  await write('cluster.yaml', 'name: prod\nhosts: [a]');
  const overrides = { hosts: ['b'] };
  const { cluster } = await loadCluster({ overrides }, where);
  expect([cluster.name, cluster.hosts[0]?.name]).toEqual(['mesosup', 'b']);
  const named = await loadCluster({ overrides, file: 'cluster.yaml' }, where);
  expect([named.cluster.name, named.cluster.hosts[0]?.name]).toEqual(['prod', 'b']);
});

test('without a file and hosts, loads the cluster that was last installed', async () => {
  const { cluster, state } = await loadCluster({ overrides: { hosts: ['b'] } }, where);
  await expect(loadCluster({ overrides: {} }, where)).rejects.toMatchObject({
    remedy: expect.stringContaining('mesosup init'),
  });
  await state.keepCluster(cluster, { schedulers: [], masters: [] });
  expect(await loadCluster({ overrides: {} }, where)).toEqual({ cluster, state });
  await expect(loadCluster({ overrides: { name: 'other' } }, where)).rejects.toMatchObject({
    message: expect.stringContaining('no cluster "other" was installed'),
    remedy: expect.stringContaining('with --name: mesosup.'),
  });
});

test('errors name the file, one line each', async () => {
  await write('c.yaml', 'hosts: [a b]\nx: 1');
  await expect(loadCluster({ overrides: {}, file: 'c.yaml' }, where)).rejects.toThrow(
    'c.yaml:1:9: hosts[0]: expected a host, as name or user@name:port, not "a b"\nc.yaml:2:1: x: unknown key',
  );
  await expect(loadCluster({ overrides: {}, file: 'd.yaml' }, where)).rejects.toThrow(
    "d.yaml can't be read: there is no such file",
  );
});

test('writes an edited file, unless somebody else has changed it since it was read', async () => {
  await write('cluster.yaml', 'hosts: [a]');
  const edit = (text: string) => text.replace('a', 'b');
  const { file } = await loadCluster({ overrides: {}, edit }, where);
  if (!file) throw new Error('there is no file');
  await write('cluster.yaml', 'hosts: [a] # mine');
  await expect(writeSpec(file)).rejects.toThrow('cluster.yaml has been changed since it was read');
  expect(await readFile(file.path, 'utf8')).toBe('hosts: [a] # mine');
  await write('cluster.yaml', 'hosts: [a]');
  await writeSpec(file);
  expect(await readFile(file.path, 'utf8')).toBe('hosts: [b]');
});
