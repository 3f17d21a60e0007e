/**
 * The program's beginning, in `<installation>/lib`. oclif takes that directory for its root, where the build has put
 * its manifest: what help, completion and the command line need is read from there, and of the commands only the one
 * that runs is loaded.
 */
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

const root = import.meta.dirname;
const pjson = JSON.parse(readFileSync(path.join(root, '../package.json'), 'utf8'));
const { name, version } = pjson;

if (process.argv[2] === '--version') {
  // As oclif says it, without the time it takes to load it.
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
} else {
  const { flush, handle, run } = await import('@oclif/core');
  const args = process.argv.slice(2);
  // A payload's version ends in a hash of its content, which oclif would take for another version than its manifest's.
  const stated = { ...pjson, version: version.replace(/\+.*$/, '') };
  const options = { root, pjson: stated, version, userPlugins: false, devPlugins: false };
  const failed = async (error: Error & { oclif?: object }): Promise<void> => {
    const json = args.includes('--json');
    // The command line's errors are shown with what is allowed.
    if (error.oclif !== undefined && !json) return handle(error);
    const [{ failureOf }, { failureJson, failureText }, { stateHome }] = await Promise.all([
      import('../errors/defect-report.ts'),
      import('../errors/failure.ts'),
      import('../cluster/edge/cluster-state.ts'),
    ]);
    const directories = [stateHome(process.env, homedir()), tmpdir()];
    const failure = failureOf(error, { version, command: [name, ...args], directories });
    if (json) process.stdout.write(`${JSON.stringify(failureJson(failure), null, 2)}\n`);
    else if (failure.message !== '') process.stderr.write(`${failureText(failure)}\n`);
    // Connections and timers of what failed must not hold the program.
    process.exit(failure.exitCode);
  };
  process.on('uncaughtException', failed);
  // Not awaited: oclif ends the process by itself, and Node warns of a module that is still waiting then.
  void run(args, options)
    .then(() => flush())
    .catch(failed);
}
