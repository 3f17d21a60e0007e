import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildPage } from './page.ts';

const root = path.resolve(import.meta.dirname, '../..');
const BUDGET_BYTES = 80_000;
/** The terminal is loaded when it is opened. */
const isLater = (file: string) => /^terminal-/.test(file);

let out: string;

beforeAll(async () => {
  out = await mkdtemp(path.join(tmpdir(), 'mesosup-page-'));
  await buildPage(root, out);
}, 60_000);
afterAll(() => rm(out, { recursive: true }));

it('stays below 80 KB, compressed, without the terminal', async () => {
  const files = ['index.html', ...(await readdir(path.join(out, 'assets'))).map((one) => `assets/${one}`)];
  let sum = 0;
  for (const file of files) {
    const bytes = gzipSync(await readFile(path.join(out, file)), { level: 9 }).length;
    const later = isLater(path.basename(file));
    console.info(`${file}: ${bytes} bytes compressed${later ? ', loaded later' : ''}`);
    if (!later) sum += bytes;
  }
  console.info(`the page: ${sum} of ${BUDGET_BYTES} bytes`);
  expect(sum).toBeLessThan(BUDGET_BYTES);
});

it('has neither inline scripts nor inline styles, and names no other host and no path', async () => {
  const html = await readFile(path.join(out, 'index.html'), 'utf8');
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>|<style|\bstyle=|https?:/);
  const scripts = (await readdir(path.join(out, 'assets'))).filter((one) => one.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(0);
  // Also if the environment asks for a build for development, as the tests' does.
  for (const script of scripts)
    expect(await readFile(path.join(out, 'assets', script), 'utf8')).not.toContain(root);
});
