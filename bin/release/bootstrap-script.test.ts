import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { releaseScript } from './bootstrap-script.ts';

const settings = {
  RELEASE_URL: "https://example.org/it's$1",
  RELEASE_VERSION: '1.2.3',
  RELEASE_KEY: 'ssh-ed25519 AAAA',
  RELEASE_MB: '300',
};

test('inserts the quoted settings and changes nothing else', async () => {
  const script = await readFile(path.resolve(import.meta.dirname, '../bootstrap.sh'), 'utf8');
  const made = releaseScript(script, settings).split('\n');
  const before = script.split('\n');
  expect(made.filter((line, i) => line !== before[i])).toEqual([
    `RELEASE_URL='https://example.org/it'\\''s$1'`,
    'RELEASE_VERSION=1.2.3',
    "RELEASE_KEY='ssh-ed25519 AAAA'",
    'RELEASE_MB=300',
  ]);
});

test('refuses a script without the lines of the settings', () => {
  expect(() => releaseScript("\nRELEASE_URL=''\n", settings)).toThrow("RELEASE_VERSION=''");
});
