/**
 * The entry point of the program, `<installation>/lib/cli.js`. That directory is oclif's root, and the build puts
 * oclif's manifest there. Help, completion and the parsing of the command line read the manifest, so only the command
 * that runs is loaded.
 */
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

const root = import.meta.dirname;
const pjson = JSON.parse(readFileSync(path.join(root, '../package.json'), 'utf8'));
const { name, version } = pjson;
const [first, second] = process.argv.slice(2);

if (first === '--version' || ((first === 'version' || first === '-v') && second === undefined)) {
  // oclif's format, without the time to load oclif.
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
} else {
  const [{ Config, flush, handle, run }, { checkCommandWords, ownArguments, withLongHelp }] =
    await Promise.all([import('@oclif/core'), import('./usage/command-words.ts')]);
  const args = withLongHelp(process.argv.slice(2));
  // A payload's version ends in a hash of its content. oclif would reject its manifest because the versions differ.
  const withoutHash = { ...pjson, version: version.replace(/\+.*$/, '') };
  const options = { root, pjson: withoutHash, version, userPlugins: false, devPlugins: false };
  const exitWithError = async (error: Error & { code?: string }): Promise<void> => {
    // this.exit() of a command.
    if (error.code === 'EEXIT') return handle(error);
    const json = ownArguments(args).includes('--json');
    const [{ failureOf }, { failureJson, failureText }, { stateHome }, { printableLines }] =
      await Promise.all([
        import('../errors/defect-report.ts'),
        import('../errors/failure.ts'),
        import('../cluster/edge/cluster-state.ts'),
        import('../text/printable.ts'),
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
