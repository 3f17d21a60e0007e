import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Haproxy } from './haproxy.ts';

/** A program that starts and answers at its master's socket like haproxy. */
const PROGRAM = `#!${process.execPath}
if (process.argv.includes('-c')) process.exit(0);
const socket = process.argv[process.argv.indexOf('-S') + 1].split(',')[0];
require('node:net')
  .createServer((one) => one.end('#<PID>  <type>  <reloads>\\n' + process.pid + '           master          0\\n'))
  .listen(socket, () => console.error('[NOTICE]   (1) : Loading success.'));
`;

it('knows a haproxy whose id could not be stored, and starts no second one', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-'));
  const program = path.join(directory, 'program');
  await writeFile(program, PROGRAM, { mode: 0o755 });
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
