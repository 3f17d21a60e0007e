/** Runs another version of mesosup, to bring a cluster to that version. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { UsageError } from '../errors/mesosup-error.ts';
import { isJson, parseJson } from '../json.ts';

/** Flags that only `upgrade` has; the value tells if the flag takes one. */
const OWN_FLAGS: Readonly<Record<string, boolean>> = {
  '--to': true,
  '--only': true,
  '--first': true,
  '--batch': true,
  '--pause': true,
  '--move-timeout': true,
  '--dry-run': false,
};

/**
 * Releases before `upgrade` bring a cluster to their version with `install`, and show it with `plan`.
 * @param argv of this command
 * @throws UsageError for a flag that the other release does not have
 */
export function otherCommand(argv: readonly string[], hasUpgrade: boolean): string[] {
  const rest: string[] = [];
  let dryRun = false;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const flag = word.replace(/=[\s\S]*$/, '');
    const takesValue = OWN_FLAGS[flag];
    const isDropped = flag === '--to' || flag === '--only';
    if (takesValue === undefined || (hasUpgrade && !isDropped)) rest.push(word);
    else if (flag === '--dry-run') dryRun = true;
    else {
      if (!isDropped) {
        throw new UsageError(`that release of mesosup has no upgrade, so it does not know ${flag}`, {
          remedy: `Leave out ${flag}.`,
        });
      }
      if (!word.includes('=')) at += 1;
    }
  }
  if (hasUpgrade) return ['upgrade', '--only', 'mesosup', ...rest];
  return dryRun
    ? ['plan', ...rest.filter((word) => word !== '--yes' && word !== '-y')]
    : ['install', ...rest];
}

/** Ends this process with the exit code of the other. @param root of the other program */
export async function runKeptProgram(root: string, argv: readonly string[]): Promise<never> {
  const manifest = parseJson(await readFile(path.join(root, 'lib/oclif.manifest.json'), 'utf8'));
  const commands = isJson(manifest) && isJson(manifest.commands) ? manifest.commands : {};
  const words = otherCommand(argv, 'upgrade' in commands);
  // A signal from the terminal reaches both processes, and the other one decides when to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const { exitCode } = await execa(path.join(root, 'bin/mesosup'), words, {
    stdio: 'inherit',
    reject: false,
  });
  process.exit(exitCode ?? 1);
}
