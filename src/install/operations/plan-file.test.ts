import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { planInput } from '../../../test/install/hosts.ts';
import { anyCluster, anyHosts } from '../../../test/install/random-cluster.ts';
import { runs } from '../../../test/support/runs.ts';
import { UsageError } from '../../errors/mesosup-error.ts';
import { RELEASE } from '../../release.ts';
import { planCluster } from '../plan-cluster.ts';
import { readPlan, type SavedPlan, savePlan } from './plan-file.ts';

/** Made by release 0.1.0: see make.mjs there. */
const FIXTURE = path.resolve(import.meta.dirname, '../../../test/fixtures/files-0.1.0');
const FILES = ['three/install.json', 'three/change.json', 'three/uninstall.json', 'alone/install.json'];

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-plan-'));
  file = path.join(directory, 'plan.json');
});
afterEach(() => rm(directory, { recursive: true }));

const json = async (name: string) => JSON.parse(await readFile(name, 'utf8'));
const ofRelease = (name: string) => readPlan(path.join(FIXTURE, name));

async function reading(value: unknown): Promise<unknown> {
  await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value));
  return readPlan(file).catch((error: unknown) => error);
}

test.each(FILES)('reads the plan %s of release 0.1.0', async (name) => {
  const { format: _format, ...saved } = await json(path.join(FIXTURE, name));
  expect(await ofRelease(name)).toEqual(saved);
});

test('the plans of release 0.1.0 cover every kind of resource, and tasks that end', async () => {
  const plans = await Promise.all(FILES.map(ofRelease));
  const items = plans.flatMap(({ plan }) => plan.hosts.flatMap((host) => host.items));
  const kinds = new Set(items.flatMap(({ resource }) => resource?.kind ?? []));
  expect([...kinds].sort()).toEqual([
    'apt-key',
    'directory',
    'file',
    'link',
    'package',
    'payload',
    'service',
    'user',
  ]);
  expect(items.some(({ endsTasks }) => endsTasks !== undefined)).toBe(true);
});

test('saves the same plan as 0.1.0, with the release added, and reads it again', async () => {
  const saved = await ofRelease('three/install.json');
  await savePlan(file, saved);
  expect(await readPlan(file)).toEqual(saved);
  expect(await json(file)).toEqual({
    ...(await json(path.join(FIXTURE, 'three/install.json'))),
    release: RELEASE,
  });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['plan.json']);
});

test('reads back any plan that this release makes, and no plan names a file of this machine', async () => {
  const made = anyCluster.chain((cluster) =>
    fc.record({ cluster: fc.constant(cluster), facts: anyHosts(cluster), start: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(made, async ({ cluster, facts, start }) => {
      const saved = { cluster, plan: planCluster(planInput(cluster, facts, { start })) };
      await savePlan(file, saved);
      expect(await readFile(file, 'utf8')).not.toContain('/only/here');
      // JSON omits undefined values.
      expect(await readPlan(file)).toEqual(saved);
    }),
    { numRuns: runs(20) },
  );
});

test('reads back optional fields of an item', async () => {
  const own = await ofRelease('alone/install.json');
  for (const more of [{ endsTasks: null }, { endsTasks: 3 }, { byApt: true }, { whole: true, reason: 'x' }]) {
    const saved = withItem(own, more);
    expect(await reading({ format: 1, ...saved })).toEqual(saved);
  }
});

test('refuses a file that is not a plan', async () => {
  for (const value of ['', 'null', '[]', { format: 1 }, await json(path.join(FIXTURE, 'own/cluster.json'))]) {
    const error = await reading(value);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      message: `${file} is not a plan`,
      remedy: 'Make a plan with: mesosup plan --out FILE',
    });
  }
});

test('refuses a plan of a later release, and fields that only a later release knows, with its name', async () => {
  const saved = await ofRelease('alone/install.json');
  expect(await reading({ format: 2, release: '0.7.0', ...saved })).toMatchObject({
    exitCode: 2,
    message: `${file} has format 2, and mesosup ${RELEASE} reads format 1: a later release wrote it`,
    remedy: 'Run mesosup 0.7.0, which wrote it, or a later release.',
  });
  expect(await reading({ format: 1, release: '0.7.0', ...withItem(saved, { unless: 'x' }) })).toMatchObject({
    message: expect.stringContaining('its field "plan.hosts.0.items.0.unless" is unknown'),
    remedy: expect.stringContaining('0.7.0'),
  });
});

test('an error of a damaged plan names the field', async () => {
  const saved = await ofRelease('alone/install.json');
  expect(await reading({ format: 1, ...withItem(saved, { action: 'dance' }) })).toMatchObject({
    message: `${file} is damaged: its field "plan.hosts.0.items.0.action" has an unknown value`,
    remedy: 'Make a new plan with "mesosup plan --out".',
  });
});

function withItem({ plan, cluster }: SavedPlan, change: object): object {
  const [host] = plan.hosts;
  const [first, ...rest] = host?.items ?? [];
  return { plan: { ...plan, hosts: [{ ...host, items: [{ ...first, ...change }, ...rest] }] }, cluster };
}
