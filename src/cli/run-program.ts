/** Runs a program of this installation that an init system may also start. */

import path from 'node:path';
import type { Command } from '@oclif/core';
import { execa } from 'execa';

/**
 * Runs it in the foreground until it ends, and takes over its exit code.
 * @param name of the file in `lib/`
 * @param flags by name; `true` for a switch. Others than texts and `true` are left out
 */
export async function runProgram(
  { config }: Pick<Command, 'config'>,
  name: string,
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  const args = Object.entries(flags).flatMap(([flag, value]) =>
    value === true ? [`--${flag}`] : typeof value === 'string' ? [`--${flag}=${value}`] : [],
  );
  const { exitCode } = await execa(process.execPath, [path.join(config.root, name), ...args], {
    stdio: 'inherit',
    reject: false,
  });
  process.exitCode = exitCode ?? 1;
}
