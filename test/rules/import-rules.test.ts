import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const config = path.join(root, '.dependency-cruiser.cjs');
const rules: { name: string }[] = createRequire(import.meta.url)(config).forbidden;

/** A small source tree in the layout of mesosup that breaks no rule. */
const sound: Record<string, string> = {
  'package.json': '{"type":"module","dependencies":{},"devDependencies":{"seeded":"1.0.0"}}',
  'tsconfig.json': '{}',
  'node_modules/seeded/package.json': '{"name":"seeded","version":"1.0.0","main":"index.js"}',
  'node_modules/seeded/index.js': 'module.exports = 1;',
  'test/helper.ts': 'export const helper = 1;',
  'src/mesos/types.ts': 'export const types = 1;',
  'src/mesos/http.ts': "import 'node:http';\nimport './types.ts';\nexport const http = 1;",
  'src/scheduler/decide.ts': "import '../mesos/types.ts';\nexport const decide = 1;",
  'src/scheduler/main.ts': "import './decide.ts';\nimport '../mesos/http.ts';\nexport const main = 1;",
  'src/scheduler/api/routes.ts': 'export type Routes = string;',
  'src/client/calls.ts':
    "import type { Routes } from '../scheduler/api/routes.ts';\nexport const calls: Routes = '';",
  'src/web/page.ts': 'export const page = 1;',
};
for (const { name } of rules) {
  const area = /^(\w+)-imports-only-its-neighbours$/.exec(name)?.[1];
  if (area) sound[`src/${area}/edge/edge.ts`] = 'export const edge = 1;';
}

/** A file for each rule that breaks it. */
function seed(rule: string): [string, string] {
  const area = /^(\w+)-imports-only-its-neighbours$/.exec(rule)?.[1];
  if (area) return [`src/${area}/edge/seeded-${area}.ts`, "import '../../web/page.ts';"];
  const seeds: Record<string, [string, string]> = {
    'no-circular': ['src/demo/seeded-circle.ts', "import './seeded-circle.ts';"],
    'pure-core-has-no-io': ['src/scheduler/domain/seeded-io.ts', "import 'node:fs';"],
    'pure-core-imports-only-core': ['src/scheduler/domain/seeded-edge.ts', "import '../edge/edge.ts';"],
    'client-runs-in-browsers': ['src/client/seeded-node.ts', "import 'node:fs';"],
    'client-imports-only-types-of-the-scheduler': [
      'src/client/seeded-scheduler.ts',
      "import '../scheduler/api/routes.ts';",
    ],
    'oclif-in-the-command-line-only': ['src/install/seeded-command.ts', "import '@oclif/core';"],
    'no-tests-in-product': ['src/demo/seeded-test.ts', "import '../../test/helper.ts';"],
    'no-unresolved': ['src/demo/seeded-nowhere.ts', "import './nowhere.ts';"],
    'no-dev-dependencies-in-product': ['src/demo/seeded-dev.ts', "import 'seeded';"],
  };
  const found = seeds[rule];
  if (!found) throw new Error(`rule ${rule} has no seeded violation: add one`);
  return found;
}

let dir: string;

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(dir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** The violations that the project's rules find in the tree, as `rule file`. */
async function violations(): Promise<string[]> {
  const cli = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const { stdout } = await execa(
    process.execPath,
    [cli, 'src', '--config', config, '--output-type', 'json'],
    {
      cwd: dir,
      reject: false,
    },
  );
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { rule: { name: string }; from: string }[] };
  };
  return summary.violations.map((v) => `${v.rule.name} ${v.from}`);
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mesosup-rules-'));
  await write(sound);
});
afterAll(() => rm(dir, { recursive: true }));

test('finds no violation in a valid tree', async () => {
  expect(await violations()).toEqual([]);
}, 30_000);

test('finds a violation of each rule', async () => {
  const seeds = rules.map(({ name }) => ({ name, seed: seed(name) }));
  await write(Object.fromEntries(seeds.map(({ seed: [file, text] }) => [file, text])));
  const found = await violations();
  for (const {
    name,
    seed: [file],
  } of seeds)
    expect(found).toContain(`${name} ${file}`);
}, 30_000);
