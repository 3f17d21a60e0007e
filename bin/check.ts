/**
 * The checks to run before each commit: static checks and unit tests, at the same time, as the former use one core.
 * The output of a check is printed if it fails. Exits with 1 if anything failed.
 */
import path from 'node:path';
import { $, chalk, echo } from 'zx';
import { staticChecks } from './static-checks.ts';

process.chdir(path.resolve(import.meta.dirname, '..'));
process.env.PATH = `${path.resolve('node_modules/.bin')}:${process.env.PATH}`;
const run = $({ nothrow: true, quiet: true });
// As in the whole suite, a third of the usual runs of property tests: all of them are made by `npm run soak`.
process.env.MESOSUP_SOAK_FACTOR ??= '0.3';

const unit = run`vitest run --project unit --reporter=dot`;
for (const [name, command] of Object.entries(staticChecks)) report(name, await run`${command}`);
const tests = await unit;
report('unit tests', tests);
if (tests.exitCode === 0) echo(tests.stdout.trimEnd().split('\n').slice(-4).join('\n'));

function report(name: string, { exitCode, stdall }: { exitCode: number | null; stdall: string }) {
  echo(exitCode === 0 ? chalk.green(`✓ ${name}`) : `${chalk.red(`✗ ${name}`)}\n${stdall.trimEnd()}`);
  if (exitCode !== 0) process.exitCode = 1;
}
