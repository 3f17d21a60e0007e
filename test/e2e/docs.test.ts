/** Checks that tests run all commands of README and docs, and that the reference and the picture are up to date. */
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';
import { DEMO, DEMO_SIZE } from '../../bin/picture/demo.ts';
import { svgText } from '../../bin/picture/svg.ts';
import { shownBy, textOf } from '../../bin/picture/terminal.ts';
import { markdownReference } from '../../src/cli/reference/markdown.ts';
import { referenceOf } from '../../src/cli/reference/reference.ts';
import { docCommand, docCommands } from '../support/docs.ts';
import { mesosup, root, typed } from './demo-cluster.ts';

/** `examples.test.ts` runs its commands, which are the examples of the help texts. */
const REFERENCE = 'docs/reference.md';

afterAll(() => mesosup('demo', 'down'));

test('finds a test for every command of README and docs', async () => {
  const pages = ['README.md'];
  for await (const page of glob('docs/*.md', { cwd: root })) if (page !== REFERENCE) pages.push(page);
  const run = new Map<string, string[]>();
  for await (const file of glob('test/{e2e,contract}/**/*.ts', { cwd: root })) {
    const text = await readFile(path.join(root, file), 'utf8');
    for (const [, page = '', start = ''] of text.matchAll(/docCommand\(\s*'([^']+)',\s*'([^']+)',?\s*\)/g)) {
      run.set(page, [...(run.get(page) ?? []), docCommand(page, start)]);
    }
  }
  const missing = pages.flatMap((page) =>
    docCommands(page)
      .filter((command) => !run.get(page)?.includes(command))
      .map((command) => `${page}: ${command}`),
  );
  expect(missing).toEqual([]);
  expect(docCommands('README.md').length).toBeGreaterThan(10);
});

test('finds the reference equal to the output of `npm run docs`', async () => {
  const manifest = await readFile(path.join(root, 'dist/lib/commands.json'), 'utf8');
  const { commands } = JSON.parse(manifest) as { commands: Record<string, never> };
  const page = await readFile(path.join(root, REFERENCE), 'utf8');
  expect(page).toBe(markdownReference(referenceOf(Object.values(commands))));
});

test('finds all files and scripts that the README names', async () => {
  const text = await readFile(path.join(root, 'README.md'), 'utf8');
  const { scripts } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  for (const [, file = ''] of text.matchAll(/[`(]((?:src|test|docs)\/[\w./-]+\.\w+)[`)]/g)) {
    expect(await readFile(path.join(root, file), 'utf8').then(Boolean)).toBe(true);
  }
  for (const [, script = ''] of text.matchAll(/`npm run ([\w:]+)/g))
    expect(Object.keys(scripts)).toContain(script);
});

test('runs the demo until Ctrl-C', async () => {
  const command = docCommand('README.md', './bin/bootstrap.sh demo');
  // The script rebuilds an outdated build first.
  const shown = await typed(
    `cd ${root} && ${command}; echo "exit $?"`,
    [
      { prompt: 'Ctrl-C ends the demo.', answer: '\u0003' },
      { prompt: 'exit ', answer: '' },
    ],
    120_000,
  );
  expect(shown).toMatch(/GET x answered "7"/);
  expect(shown).toContain('exit 130');
  expect((await mesosup('demo', 'status')).exitCode).toBe(1);
});

test('uses the README’s command for all tests in .ci/run', async () => {
  const command = docCommand('README.md', './bin/bootstrap.sh test');
  expect(await readFile(path.join(root, '.ci/run'), 'utf8')).toMatch(new RegExp(`^exec ${command}$`, 'm'));
});

test('finds the output of the demo in the picture, apart from times and properties of the machine', async () => {
  const { stdout } = await execa('cat', [path.join(root, 'docs/demo.svg')]);
  // Replaces times, the version of the Docker engine, the address of Docker's bridge, and ports.
  const plain = (line: string) =>
    line
      .replaceAll(/\d+\.\d+ s\b/g, 'N s')
      .replace(/\(API [\d.]+\)/, '(API N)')
      .replaceAll(/\b(\d+\.){3}\d+:\d+/g, 'ADDRESS:PORT');
  const [prompt, ...drawn] = svgText(stdout).map(plain);
  expect(prompt).toBe(`$ ${DEMO}`);
  const shown = await shownBy(`cd ${root}; ${DEMO}`, DEMO_SIZE);
  expect(drawn).toEqual(shown.map(textOf).map(plain));
  expect(drawn.length).toBeGreaterThan(5);
});
