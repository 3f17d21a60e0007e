import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { writeHaproxyProgram } from '../../../test/lb/haproxy-program.ts';
import { Haproxy } from './haproxy.ts';

it('knows a haproxy whose id could not be stored, and starts no second one', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-'));
  const program = await writeHaproxyProgram(directory);
  const started = new Haproxy(program, directory);
  try {
    await started.replace('');
    await rm(path.join(directory, 'haproxy.json'));
    const other = new Haproxy(program, directory);
    expect(await other.isRunning()).toBe(true);
    await other.stop();
    expect(await other.isRunning()).toBe(false);
  } finally {
    await started.stop();
    await rm(directory, { recursive: true });
  }
});

it('starts among files that it can remove, but not write, as those of a former user', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-'));
  const haproxy = new Haproxy(await writeHaproxyProgram(directory), directory);
  try {
    // Root, too, can't write to these.
    for (const name of ['haproxy.log', 'haproxy.cfg.new'])
      await symlink(path.join(directory, 'none', name), path.join(directory, name));
    await haproxy.replace('');
    expect(await haproxy.isRunning()).toBe(true);
  } finally {
    await haproxy.stop();
    await rm(directory, { recursive: true });
  }
});
