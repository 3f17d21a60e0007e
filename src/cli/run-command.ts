/** Runs a command with oclif. */
import { homedir, tmpdir } from 'node:os';
import { Config, flush, handle, type Interfaces, run } from '@oclif/core';
import { printableLines } from '../text/printable.ts';
import { checkCommandWords, ownArguments, withLongHelp } from './usage/command-words.ts';

/**
 * Help, completion and the parsing of the command line read oclif's manifest, which the build puts into its root, so only
 * the command that runs is loaded. The process ends with the command.
 * @param root of oclif: the directory of the bundles
 * @param pjson the package.json of the build
 * @param words of the command line, after the program
 */
export function runCommand(root: string, pjson: Interfaces.PJSON, words: readonly string[]): void {
  const { name, version } = pjson;
  const args = withLongHelp(words);
  // A payload's version ends in a hash of its content. oclif would reject its manifest because the versions differ.
  const withoutHash = { ...pjson, version: version.replace(/\+.*$/, '') };
  const options = { root, pjson: withoutHash, version, userPlugins: false, devPlugins: false };
  const exitWithError = async (error: Error & { code?: string }): Promise<void> => {
    // this.exit() of a command.
    if (error.code === 'EEXIT') return handle(error);
    const json = ownArguments(args).includes('--json');
    const [{ failureOf }, { failureJson, failureText }, { stateHome }] = await Promise.all([
      import('../errors/defect-report.ts'),
      import('../errors/failure.ts'),
      import('../cluster/edge/cluster-state.ts'),
    ]);
    const directories = [stateHome(process.env, homedir()), tmpdir()];
    const failure = failureOf(error, { version, command: [name, ...args], directories });
    if (json) process.stdout.write(`${JSON.stringify(failureJson(failure), null, 2)}\n`);
    // Nobody reads the output any more, as with "| head".
    else if (failure.message !== '' && error.code !== 'EPIPE')
      process.stderr.write(`${printableLines(failureText(failure))}\n`);
    // Open connections and timers of the failed command must not keep the process alive.
    process.exit(failure.exitCode);
  };
  process.on('uncaughtException', exitWithError);
  const start = async () => {
    const config = await Config.load(options);
    checkCommandWords(args, config.commands);
    await run(args, config);
    await flush();
  };
  // Not awaited: oclif exits by itself, and Node would then warn about an unsettled top-level await.
  void start().catch(exitWithError);
}
