/** Generates the completion scripts and the man page of an installation from the commands. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Interfaces } from '@oclif/core';
import { COMPLETIONS } from '../../src/cli/reference/completions.ts';
import { manPage } from '../../src/cli/reference/man.ts';
import { referenceOf } from '../../src/cli/reference/reference.ts';

/** Writes the files to `share`, in the layout of /usr/share. */
export async function writeShare(share: string, { commands, version }: Interfaces.Manifest): Promise<void> {
  const reference = referenceOf(Object.values(commands));
  const files = {
    'man/man1/mesosup.1': manPage(reference, version),
    'bash-completion/completions/mesosup': COMPLETIONS.bash(reference),
    'zsh/vendor-completions/_mesosup': COMPLETIONS.zsh(reference),
    'fish/vendor_completions.d/mesosup.fish': COMPLETIONS.fish(reference),
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(share, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
