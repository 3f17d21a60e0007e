/** A program that starts and answers at its master's socket like haproxy, for tests without it. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

const PROGRAM = `#!${process.execPath}
if (process.argv.includes('-c')) process.exit(0);
const socket = process.argv[process.argv.indexOf('-S') + 1].split(',')[0];
require('node:net')
  .createServer((one) => one.end('#<PID>  <type>  <reloads>\\n' + process.pid + '           master          0\\n'))
  .listen(socket, () => console.error('[NOTICE]   (1) : Loading success.'));
`;

/** @returns its path */
export async function writeHaproxyProgram(directory: string): Promise<string> {
  const program = path.join(directory, 'program');
  await writeFile(program, PROGRAM, { mode: 0o755 });
  return program;
}
