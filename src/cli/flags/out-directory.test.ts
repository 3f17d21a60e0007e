import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { putOut } from './out-directory.ts';

test('an existing file is private before a secret is in it', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-out-'));
  try {
    // A pipe shows the order: nothing is written before someone reads.
    const pipe = path.join(directory, 'password');
    execFileSync('mkfifo', ['-m', '644', pipe]);
    const silent = { log: () => undefined, logToStderr: () => undefined };
    const written = putOut(silent, directory, { name: 'password', text: 'sesame', mode: 0o600 });
    await expect.poll(() => statSync(pipe).mode & 0o777, { timeout: 5000 }).toBe(0o600);
    const [text] = await Promise.all([readFile(pipe, 'utf8'), written]);
    expect(text).toBe('sesame');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
