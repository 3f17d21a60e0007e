import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { readCertificates } from './operator-files.ts';

it('leaves out links to directories and to nothing, and pipes', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-'));
  try {
    await writeFile(path.join(directory, 'good.pem'), 'x');
    await mkdir(path.join(directory, 'old.pem'));
    await symlink(path.join(directory, 'old.pem'), path.join(directory, 'link.pem'));
    await symlink('/nowhere', path.join(directory, 'gone.pem'));
    await execa('mkfifo', [path.join(directory, 'pipe.pem')]);
    expect([...(await readCertificates(directory)).keys()]).toEqual(['good.pem']);
  } finally {
    await rm(directory, { recursive: true });
  }
});
