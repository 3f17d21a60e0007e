/**
 * The program's beginning, in `<installation>/lib`. oclif takes that directory for its root, where the build has put
 * its manifest: what help, completion and the command line need is read from there, and of the commands only the one
 * that runs is loaded.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = import.meta.dirname;
const pjson = JSON.parse(readFileSync(path.join(root, '../package.json'), 'utf8'));
const { name, version } = pjson;

if (process.argv[2] === '--version') {
  // As oclif says it, without the time it takes to load it.
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
} else {
  const { flush, handle, run } = await import('@oclif/core');
  // A payload's version ends in a hash of its content, which oclif would take for another version than its manifest's.
  const stated = { ...pjson, version: version.replace(/\+.*$/, '') };
  const options = { root, pjson: stated, version, userPlugins: false, devPlugins: false };
  const failed = async (error: Error): Promise<void> => {
    const { isDefect, reportDefect } = await import('./defect-report.ts');
    if (!isDefect(error)) return handle(error);
    reportDefect(error, { version, args: process.argv.slice(2) });
    // Connections and timers of what failed must not hold the program.
    process.exit();
  };
  process.on('uncaughtException', failed);
  // Not awaited: oclif ends the process by itself, and Node warns of a module that is still waiting then.
  void run(process.argv.slice(2), options)
    .then(() => flush())
    .catch(failed);
}
