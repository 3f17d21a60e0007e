/**
 * Runs all tests, and prints the failures and the totals at the end.
 * Each static check counts as one test. Exits with 1 if anything failed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { $, chalk, echo, type ProcessOutput, type Shell } from 'zx';
import { staticChecks } from './static-checks.ts';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: {
    /** Path of the file. */
    name: string;
    status: string;
    /** The reason why the file could not be run; empty if its tests failed. */
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

/** Number of lines of a failure that are repeated at the end. */
const FAILURE_LINES = 12;

/** Run one after another, because they share this machine's ports and Docker engine. */
const here = { unit: ['--coverage'], contract: [], e2e: [] };

const total = { passed: 0, failed: 0, skipped: 0 };
/** A text for each failure, repeated at the end. */
const failures: string[] = [];
process.chdir(path.resolve(import.meta.dirname, '..'));
process.env.PATH = `${path.resolve('node_modules/.bin')}:${process.env.PATH}`;
const reports = await mkdtemp(path.join(tmpdir(), 'mesosup-test-'));
const run = $({ stdio: 'inherit', nothrow: true });
const runApart = $({ stdio: ['ignore', 'pipe', 'pipe'], nothrow: true, quiet: true });

// The lab's hosts have their own ports and Docker engines, and what needs only an engine uses free ports: two of these
// files run beside the others.
const apart = test(runApart, ['hosts', 'engine'], ['--file-parallelism', '--max-workers=2']);
for (const [name, command] of Object.entries(staticChecks)) {
  const { exitCode } = await run`${command}`;
  echo(exitCode === 0 ? chalk.green(`✓ ${name}`) : chalk.red(`✗ ${name}`));
  total[exitCode === 0 ? 'passed' : 'failed'] += 1;
  if (exitCode !== 0) failures.push(name);
}
// A third of the usual runs of property tests: all of them are made by `npm run soak`.
const third = run({ env: { MESOSUP_SOAK_FACTOR: '0.3', ...process.env } });
for (const [project, flags] of Object.entries(here))
  await test(project === 'unit' ? third : run, [project], flags);
echo('\nTests on the hosts of the lab and with a Docker engine, which ran at the same time:');
process.stdout.write((await apart).stdall);
await rm(reports, { recursive: true });
if (!process.env.MESOSUP_TEST_MESOS_DEB) {
  echo(
    "\nThe hosts ran the embedded Mesos in a package laid out like ClusterD's; set MESOSUP_TEST_MESOS_DEB=FILE.deb to use a real Mesos.",
  );
}
if (failures.length > 0) echo(chalk.red(`\nFailures:\n\n${failures.join('\n\n')}`));
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
echo(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** Runs projects and adds to the totals. */
async function test(
  run: Shell,
  projects: readonly string[],
  flags: readonly string[] = [],
): Promise<ProcessOutput> {
  const name = projects.join('-');
  const file = path.join(reports, `${name}.json`);
  const output =
    await run`vitest run ${projects.map((project) => `--project=${project}`)} ${flags} --reporter=default --reporter=json --outputFile.json=${file}`;
  const report = await readReport(file);
  total.passed += report?.numPassedTests ?? 0;
  total.failed += report?.numFailedTests ?? 0;
  total.skipped += report?.numPendingTests ?? 0;
  // A test file that can't be loaded, or a coverage threshold, fails the run without a failed test.
  if (output.exitCode !== 0 && !report?.numFailedTests) {
    total.failed += 1;
    failures.push(`${name}: exit code ${output.exitCode} without a failed test`);
  }
  failures.push(...failuresOf(report));
  return output;
}

/** A text for each failed test, and for each file that could not be run. */
function failuresOf(report: Report | undefined): string[] {
  return (report?.testResults ?? []).flatMap((file) => {
    const where = path.relative('.', file.name);
    const tests = file.assertionResults.filter(({ status }) => status === 'failed');
    if (tests.length === 0 && file.status === 'failed') return [`${where}\n${start(file.message)}`];
    return tests.map(
      (failed) => `${where} > ${failed.fullName}\n${start(failed.failureMessages.join('\n'))}`,
    );
  });
}

function start(text: string): string {
  return text.split('\n').slice(0, FAILURE_LINES).join('\n');
}

async function readReport(file: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}
