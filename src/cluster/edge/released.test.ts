/** Files of clusters that release 0.1.0 wrote must stay readable: see test/fixtures/files-0.1.0/make.mjs. */

import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RELEASE } from '../../release.ts';
import type { Cluster } from '../cluster.ts';
import { ClusterState } from './cluster-state.ts';

const FIXTURE = path.resolve(import.meta.dirname, '../../../test/fixtures/files-0.1.0');

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-released-'));
});
afterEach(() => rm(directory, { recursive: true }));

const at = (name: string) => path.join(directory, name);
const json = async (file: string) => JSON.parse(await readFile(file, 'utf8'));

/** Copies the state of a cluster, with private permissions. */
async function kept(cluster: string): Promise<ClusterState> {
  for (const name of ['cluster.json', 'secrets.json']) {
    const copied = cp(path.join(FIXTURE, cluster, name), at(name));
    await copied.then(() => chmod(at(name), 0o600)).catch(() => {});
  }
  return new ClusterState(directory);
}

async function storedBy(release: string | undefined, format: number, more: object): Promise<ClusterState> {
  const { cluster } = await json(path.join(FIXTURE, 'own/cluster.json'));
  const text = JSON.stringify({ format, ...(release && { release }), cluster: { ...cluster, ...more } });
  await writeFile(at('cluster.json'), text, { mode: 0o600 });
  return new ClusterState(directory);
}

test.each(['three', 'alone', 'legacy', 'own'])('reads the cluster "%s" of release 0.1.0', async (name) => {
  const state = await kept(name);
  const { cluster } = (await json(at('cluster.json'))) as { cluster: Cluster };
  expect(await state.cluster()).toEqual(cluster);
  expect(cluster.name).toBe(name);
});

test('reads the secrets of release 0.1.0', async () => {
  const state = await kept('three');
  const stored = await json(at('secrets.json'));
  const secrets = await state.secrets();
  // The same on every read, and not the secret from which it is made.
  const derived = expect.stringMatching(/^[\w-]{43}$/);
  expect(secrets).toEqual({ ...stored, files: derived, lb: derived, metrics: derived, monitoring: derived });
  expect(await state.secrets()).toEqual(secrets);
  expect(Object.values(stored)).not.toContain(secrets?.files);
  expect(secrets?.lb).not.toBe(secrets?.api);
});

test('writes the same state as 0.1.0, with the release added', async () => {
  const state = await kept('three');
  const before = await json(at('cluster.json'));
  const cluster = await state.cluster();
  if (!cluster) throw new Error('there is no cluster');
  await state.keepCluster(cluster, { schedulers: [], masters: [] });
  expect(await json(at('cluster.json'))).toEqual({ ...before, release: RELEASE });
});

describe('the state of a later release', () => {
  test('is refused with the name of that release', async () => {
    await expect((await storedBy('0.7.0', 2, {})).cluster()).rejects.toMatchObject({
      message: `${at('cluster.json')} has format 2, and mesosup ${RELEASE} reads format 1: a later release wrote it`,
      remedy: 'Run mesosup 0.7.0, which wrote it, or a later release.',
    });
    await expect((await storedBy(undefined, 2, {})).cluster()).rejects.toMatchObject({
      remedy: 'Run the release of mesosup that wrote it, or a later one.',
    });
  });

  test('is refused if it contains an unknown field that is in use', async () => {
    await expect((await storedBy('0.7.0', 1, { mesh: { on: true } })).cluster()).rejects.toMatchObject({
      message: expect.stringContaining('written by mesosup 0.7.0'),
      remedy: expect.stringContaining('Run mesosup 0.7.0'),
    });
    const unused = await (await storedBy('0.7.0', 1, { mesh: { on: false, hosts: [] } })).cluster();
    expect(unused).not.toHaveProperty('mesh');
    expect(unused?.name).toBe('own');
  });
});

test('an error of a damaged cluster names the field', async () => {
  await expect((await storedBy(RELEASE, 1, { docker: { kind: 'podman' } })).cluster()).rejects.toMatchObject({
    message: `${at('cluster.json')} is damaged: its field "cluster.docker.kind" has an unknown value`,
  });
});

test('refuses secrets of a later format, and ignores unknown names', async () => {
  const state = await kept('three');
  const secrets = await json(at('secrets.json'));
  await writeFile(at('secrets.json'), JSON.stringify({ ...secrets, tls: 'x'.repeat(30) }));
  const derived = expect.any(String);
  expect(await state.secrets()).toEqual({
    ...secrets,
    files: derived,
    lb: derived,
    metrics: derived,
    monitoring: derived,
  });
  await writeFile(at('secrets.json'), JSON.stringify({ format: 2, release: '0.7.0' }));
  await expect(state.secrets()).rejects.toMatchObject({
    remedy: expect.stringContaining('Run mesosup 0.7.0'),
  });
});
