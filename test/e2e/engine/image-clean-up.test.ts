/** The janitor's clean-up of images, with the real Docker engine. Only images that these tests pulled are recorded. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { DockerEngine } from '../../../src/docker/engine.ts';
import { type CleanUpSettings, cleanUpSettings } from '../../../src/executor/domain/image-clean-up.ts';
import type { ImagePolicy } from '../../../src/executor/domain/image-policy.ts';
import { removeUnusedImages } from '../../../src/executor/image-clean-up.ts';
import { ImageRecords } from '../../../src/executor/image-records.ts';
import { Images } from '../../../src/executor/images.ts';
import { executorBench } from '../support/executor-bench.ts';
import { FakeRegistry } from '../support/fake-registry.ts';

const DAY_MS = 86_400_000;
const engine = new DockerEngine();
const bench = executorBench();
const made: string[] = [];
const lines: Record<string, unknown>[] = [];
let directory: string;
let registry: FakeRegistry;
let records: ImageRecords;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-clean-up-'));
  await start(String(Math.random()));
  records = new ImageRecords(path.join(directory, 'images'), (line) => lines.push({ ...line }));
  lines.length = 0;
});
afterEach(async () => {
  await execa('docker', ['rm', '-f', `mesosup-test-${process.pid}`], { reject: false });
  for (const image of made.splice(0)) await execa('docker', ['rmi', image], { reject: false });
  await registry.stop();
  await rm(directory, { recursive: true, force: true });
});
afterAll(async () => {
  const { stdout } = await execa('docker', [
    'images',
    '-q',
    '--filter',
    'reference=127.0.0.1:*/mesosup-clean-up/*',
  ]);
  expect(stdout).toBe('');
});

/** Starts a registry whose images have this content. */
async function start(content: string): Promise<void> {
  await writeFile(path.join(directory, 'content'), content);
  const tar = await execa('tar', ['-C', directory, '-cf', '-', 'content'], { encoding: 'buffer' });
  registry = await FakeRegistry.start(Buffer.from(tar.stdout));
}

/** Lets the executor's puller pull an image. @returns its name */
async function pull(name: string, force = false): Promise<string> {
  const image = `${registry.host}/mesosup-clean-up/${name}`;
  const images = new Images({ engine, records, policy: () => ({ file: 'test', policy: {} }) });
  const signal = AbortSignal.timeout(60_000);
  await images.prepare({ image, force, fetched: [], signal, note: () => {}, progress: () => {} });
  made.push(image);
  return image;
}

function settingsOf(policy: ImagePolicy['images'] = {}): CleanUpSettings {
  const settings = cleanUpSettings({ images: { maxDiskPercent: 100, ...policy } });
  if (!settings) throw new Error('there is no clean-up');
  return settings;
}

async function clean(days: number, policy: ImagePolicy['images'] = {}, dryRun = false): Promise<string[]> {
  const now = Date.now() + days * DAY_MS;
  const log = (line: Readonly<Record<string, unknown>>) => lines.push({ ...line });
  return await removeUnusedImages({ engine, records, settings: settingsOf(policy), dryRun, now, log });
}

const isHere = async (image: string) => (await engine.inspectImage(image)) !== undefined;

test('removes a pulled image when it was unused for the time, and says why', async () => {
  const image = await pull('a:1');
  expect(await clean(29)).toEqual([]);
  expect(await clean(31, {}, true)).toEqual([image]);
  expect(lines).toMatchObject([
    { msg: 'would remove an unused image', image, reason: 'not used for 31 days' },
  ]);
  expect(await isHere(image)).toBe(true);
  expect(await clean(31, { keep: [`${image.slice(0, -4)}*`] })).toEqual([]);
  expect(await clean(31, { keep: [image.slice(0, -2)] })).toEqual([]);
  expect(await clean(31)).toEqual([image]);
  expect(lines.at(-1)).toMatchObject({ msg: 'removed an unused image', image });
  expect(await isHere(image)).toBe(false);
  expect(await readdir(path.join(directory, 'images'))).toEqual([]);
});

test('never removes an image of a container, running or not, and counts it as used', async () => {
  const image = await pull('used:1');
  const container = `mesosup-test-${process.pid}`;
  await execa('docker', ['create', '--name', container, image, 'true']);
  expect(await clean(40)).toEqual([]);
  await execa('docker', ['rm', container]);
  expect(await clean(60)).toEqual([]);
  expect(await clean(71)).toEqual([image]);
});

test('never removes an image that people pulled, built or tagged themselves', async () => {
  const theirs = `${registry.host}/mesosup-clean-up/theirs:1`;
  made.push(theirs);
  await engine.pullImage(theirs, () => {});
  await pull('theirs:1');
  await pull('theirs:1', true);
  expect(records.list()).toEqual([]);
  await execa('docker', ['rmi', theirs]);
  const renamed = await pull('renamed:1');
  const id = (await engine.inspectImage(renamed))?.Id ?? '';
  await execa('docker', ['import', '--change', 'LABEL mesosup.test=1', '-', renamed], { input: '' });
  expect(await clean(31)).toEqual([]);
  expect(await isHere(renamed)).toBe(true);
  expect(records.list()).toMatchObject([{ image: id }]);
  expect(await clean(31)).toEqual([id]);
  expect(await isHere(renamed)).toBe(true);
});

test('removes the least recently used images on a full disk, but none of the last hour', async () => {
  const first = await pull('first:1');
  await sleep(10);
  const second = await pull('second:1');
  expect(await clean(0, { maxDiskPercent: 1 })).toEqual([]);
  expect(await clean(1, { maxDiskPercent: 1 })).toEqual([first, second]);
  expect(lines.at(-1)).toMatchObject({ reason: 'the disk is more than 1% full' });
});

test('removes an image that lost its name to a later pull', async () => {
  const image = await pull('latest:1');
  const old = (await engine.inspectImage(image))?.Id ?? '';
  // A registry on the same port whose tag has other content.
  const { port } = new URL(`http://${registry.host}`);
  await registry.stop();
  await writeFile(path.join(directory, 'content'), `${Math.random()}`);
  const tar = await execa('tar', ['-C', directory, '-cf', '-', 'content'], { encoding: 'buffer' });
  registry = await FakeRegistry.start(Buffer.from(tar.stdout), Number(port));
  await pull('latest:1', true);
  const current = (await engine.inspectImage(image))?.Id;
  expect(current).not.toBe(old);
  await records.use(image);
  expect((await clean(31, { keep: [image] })).sort()).toEqual([old]);
  expect(await isHere(old)).toBe(false);
  expect((await engine.inspectImage(image))?.Id).toBe(current);
});

test('lets a task that is launched during the removal wait and pull again', async () => {
  const image = await pull('raced:1');
  const [known] = records.list();
  if (!known) throw new Error('there is no record');
  await sleep(5);
  await records.use(image);
  expect(records.beginRemoval(known)).toBe(false);
  const [again] = records.list();
  if (!again) throw new Error('there is no record');
  expect(records.beginRemoval(again)).toBe(true);
  let isReady = false;
  const launched = pull('raced:1').then(() => {
    isReady = true;
  });
  await engine.removeImage(image);
  await sleep(300);
  expect(isReady).toBe(false);
  records.endRemoval(again, true);
  await launched;
  expect(await isHere(image)).toBe(true);
});

test('is started as the janitor, with the policy and the records of the host', async () => {
  const image = await pull('main:1');
  const [file = ''] = await readdir(path.join(directory, 'images'));
  const record = path.join(directory, 'images', file);
  const old = {
    ...(JSON.parse(await readFile(record, 'utf8')) as object),
    lastUsed: Date.now() - 3 * DAY_MS,
  };
  await writeFile(record, JSON.stringify(old));
  const policy = path.join(directory, 'executor.json');
  const janitor = async (images: ImagePolicy['images'], ...flags: string[]) => {
    await writeFile(policy, JSON.stringify({ images }));
    const env = { MESOSUP_EXECUTOR_CONFIG: policy, MESOSUP_EXECUTOR_STATE: directory };
    const words = ['janitor', '--once', '--cluster', bench.cluster, ...flags];
    return (await execa(`${bench.dist}/executors/docker`, words, { env })).stderr;
  };
  const on = { unusedDays: 2, maxDiskPercent: 100 };
  expect(await janitor({ ...on, cleanUp: false })).toBe('');
  expect(await janitor({ unusedDays: -1 })).toContain('no images are removed');
  expect(await janitor(on, '--dry-run')).toContain('would remove an unused image');
  expect(await isHere(image)).toBe(true);
  expect(await janitor(on)).toContain('removed an unused image');
  expect(await isHere(image)).toBe(false);
});
