import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BundleManifest } from '../bundle/manifest.ts';
import { readBundle, writeBundle } from './bundle-file.ts';

const sum = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const contents = ['payload', 'x'.repeat(512), 'y'.repeat(1025)];
const byDigest = new Map(contents.map((content) => [sum(content), content]));
const [payload = '', one = '', two = ''] = contents;
const packageOf = (name: string, content: string) => ({
  name,
  version: '1.0-1',
  sha256: sum(content),
  bytes: content.length,
  control: `Package: ${name}\nVersion: 1.0-1\n`,
});
const manifest: BundleManifest = {
  cluster: 'prod',
  payload: { version: '1.2.3', sha256: sum(payload), bytes: payload.length },
  systems: {
    'debian-12-amd64': [packageOf('tini', one), packageOf('runc', two)],
    'debian-13-amd64': [packageOf('tini', one)],
  },
  keys: { 'https://a.example/key': 'AAAA' },
};

let directory: string;
let file: string;
const pathOf = (sha256: string) => path.join(directory, sha256);

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-bundle-'));
  file = path.join(directory, 'bundle.tar');
  for (const [sha256, content] of byDigest) await writeFile(pathOf(sha256), content);
});
afterEach(() => rm(directory, { recursive: true }));

/** Reads the bundle. @returns its manifest, and what was kept and dropped */
async function read() {
  const kept: string[] = [];
  let dropped = 0;
  const found = await readBundle(file, async (_manifest, sha256) => {
    let text = '';
    if (sha256 === sum(payload)) return undefined;
    return {
      write: async (chunk) => {
        text += Buffer.from(chunk).toString();
      },
      keep: async () => void kept.push(text),
      drop: async () => {
        dropped += 1;
      },
    };
  }).catch((error: unknown) => error as Error);
  return { found, kept, dropped };
}

test('reads what it wrote; a file of several systems is in the archive once, and tar can list it', async () => {
  await writeBundle(file, manifest, pathOf);
  expect(await read()).toEqual({ found: manifest, kept: [one, two], dropped: 0 });
  const { stdout } = await execa('tar', ['-tf', file]);
  expect(stdout.split('\n')).toEqual(['bundle.json', ...contents.map((text) => `files/${sum(text)}`)]);
});

test('refuses a bundle that was cut anywhere', async () => {
  await writeBundle(file, manifest, pathOf);
  const whole = await readFile(file);
  const ends = fc.integer({ min: 0, max: whole.length - 1024 });
  await fc.assert(
    fc.asyncProperty(ends, async (end) => {
      await writeFile(file, whole.subarray(0, end));
      const { found } = await read();
      expect(found).toMatchObject({ message: expect.stringContaining('is damaged'), path: file });
    }),
    { numRuns: 40 },
  );
});

test('refuses a bundle with a wrong byte in a file, in the manifest or in a header', async () => {
  await writeBundle(file, manifest, pathOf);
  const whole = await readFile(file);
  const text = whole.toString('latin1');
  const places = ['payload\0', 'xxxx', 'yyyy', `files/${sum(two)}`, '"cluster"', sum(one), 'runc\\n'];
  for (const place of places) {
    const at = text.indexOf(place);
    expect(at, place).toBeGreaterThan(0);
    const wrong = Buffer.from(whole);
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    await writeFile(file, wrong);
    const { found } = await read();
    expect(found, place).toBeInstanceOf(Error);
    expect((found as Error).message, place).toContain('is damaged');
  }
});

test('drops a file whose content is wrong, and keeps none after it', async () => {
  await writeFile(pathOf(sum(one)), 'z'.repeat(512));
  await writeBundle(file, manifest, pathOf);
  const { found, kept, dropped } = await read();
  expect((found as Error).message).toContain(`files/${sum(one)} has the SHA-256`);
  expect((found as Error).message).toContain('Nothing was changed.');
  expect([kept, dropped]).toEqual([[], 1]);
});

test('names a missing file, a file that is no bundle, and a bundle of a later release', async () => {
  expect((await read()).found).toMatchObject({ message: expect.stringContaining('no such file') });
  await writeFile(file, 'x'.repeat(2000));
  expect((await read()).found).toMatchObject({ message: expect.stringContaining('is damaged') });
  await writeBundle(file, manifest, pathOf);
  const text = (await readFile(file)).toString('latin1').replace('{"format":1', '{"format":2');
  await writeFile(file, Buffer.from(text, 'latin1'));
  expect((await read()).found).toMatchObject({
    message: expect.stringContaining('a later release wrote it'),
  });
});

test('leaves no part behind when a file is missing or has another size, and keeps an older bundle', async () => {
  await writeBundle(file, manifest, pathOf);
  const before = await readFile(file);
  await writeFile(pathOf(sum(two)), 'short');
  await expect(writeBundle(file, manifest, pathOf)).rejects.toThrow('was changed while');
  await rm(pathOf(sum(two)));
  await expect(writeBundle(file, manifest, pathOf)).rejects.toThrow("can't be written: ENOENT");
  expect(await readFile(file)).toEqual(before);
  expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([]);
});
