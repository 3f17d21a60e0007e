/** The flag `-o` of commands that print a file, and its output. */

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Flags } from '@oclif/core';
import { UsageError } from '../../errors/mesosup-error.ts';
import type { BaseCommand } from '../base-command.ts';

export const outDirectoryFlag = Flags.string({
  char: 'o',
  summary: 'Write to this directory, which is created if it is missing. Default: standard output.',
  helpValue: 'DIRECTORY',
});

/** Prints the text, or writes it to a file of the directory. @throws UsageError */
export async function putOut(
  command: Pick<BaseCommand, 'log' | 'logToStderr'>,
  directory: string | undefined,
  { name, text, mode = 0o644 }: { readonly name: string; readonly text: string; readonly mode?: number },
): Promise<void> {
  if (directory === undefined) return command.log(text.trimEnd());
  const file = path.join(directory, name);
  try {
    await mkdir(directory, { recursive: true });
    // An existing file keeps its mode, and must not show a secret before it has the right one.
    await chmod(file, mode).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await writeFile(file, text, { mode });
    // The mode of a new file depends on the umask.
    await chmod(file, mode);
  } catch (error) {
    throw new UsageError(`${file} can't be written: ${(error as NodeJS.ErrnoException).code}`);
  }
  command.logToStderr(`Wrote ${file}`);
}
