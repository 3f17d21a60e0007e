/**
 * Runs all tests, and prints last what failed and the totals.
 * Each static check counts as one test. Exits with 1 when anything failed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { $, chalk, echo, type ProcessOutput, type Shell } from 'zx';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: {
    /** Path of the file. */
    name: string;
    status: string;
    /** Why the file could not be run; empty where its tests failed. */
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

/** Lines of a failure that are repeated at the end; the whole of it stands further up. */
const FAILURE_LINES = 12;

const checks = {
  types: ['tsc'],
  lint: ['biome', 'check', '.'],
  'import rules': ['depcruise', 'src'],
  'dead code': ['knip'],
  shell: ['bin/check-shell.sh'],
};
/** One after the other, as they share this machine's ports and engine. */
const here = { unit: ['--coverage'], contract: [], e2e: [] };

const total = { passed: 0, failed: 0, skipped: 0 };
/** What failed, repeated at the end: a text each. */
const failures: string[] = [];
process.chdir(path.resolve(import.meta.dirname, '..'));
process.env.PATH = `${path.resolve('node_modules/.bin')}:${process.env.PATH}`;
const reports = await mkdtemp(path.join(tmpdir(), 'mesosup-test-'));
const run = $({ stdio: 'inherit', nothrow: true });
const runApart = $({ stdio: ['ignore', 'pipe', 'pipe'], nothrow: true, quiet: true });

// The lab's hosts have ports and engines of their own, and most of their time is waiting: two files run at a time.
const hosts = test(runApart, 'hosts', ['--file-parallelism', '--max-workers=2']);
for (const [name, command] of Object.entries(checks)) {
  const { exitCode } = await run`${command}`;
  echo(exitCode === 0 ? chalk.green(`✓ ${name}`) : chalk.red(`✗ ${name}`));
  total[exitCode === 0 ? 'passed' : 'failed'] += 1;
  if (exitCode !== 0) failures.push(name);
}
for (const [project, flags] of Object.entries(here)) await test(run, project, flags);
echo('\nOn the hosts of the lab, at the same time:');
process.stdout.write((await hosts).stdall);
await rm(reports, { recursive: true });
if (!process.env.MESOSUP_TEST_MESOS_DEB) {
  echo(
    "\nThe hosts ran the embedded Mesos in a package laid out like ClusterD's; set MESOSUP_TEST_MESOS_DEB=FILE.deb to use a real one.",
  );
}
if (failures.length > 0) echo(chalk.red(`\nWhat failed:\n\n${failures.join('\n\n')}`));
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
echo(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** Runs a project and adds to the totals. */
async function test(run: Shell, project: string, flags: readonly string[] = []): Promise<ProcessOutput> {
  const file = path.join(reports, `${project}.json`);
  const output =
    await run`vitest run --project ${project} ${flags} --reporter=default --reporter=json --outputFile.json=${file}`;
  const report = await readReport(file);
  total.passed += report?.numPassedTests ?? 0;
  total.failed += report?.numFailedTests ?? 0;
  total.skipped += report?.numPendingTests ?? 0;
  // A suite that can't load, or a coverage threshold, fails the run without failing a test.
  if (output.exitCode !== 0 && !report?.numFailedTests) {
    total.failed += 1;
    failures.push(`${project}: ended with ${output.exitCode}, without a failed test`);
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
