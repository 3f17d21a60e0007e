/**
 * Measures the Docker executor, each figure beside its peer in the same run:
 *
 *   npm run bench:executor [start|launch|memory|logs …] [--runs N]
 *
 * All four by default, in a built checkout, on an idle machine.
 */

import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { makeTestImages } from '../../e2e/support/busybox-image.ts';
import { removeContainersOf } from '../../e2e/support/executor-process.ts';
import { machine, median } from '../figures.ts';
import { launches } from './launches.ts';
import { logThroughput } from './logs.ts';
import { commandExecutors, dockerExecutor } from './memory.ts';
import { CLUSTER } from './run.ts';
import { starts } from './starts.ts';

const LOG_RUNS = 3;
const LOG_MB = 100;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '30' } },
});
const runs = Number(values.runs);

const parts: Record<string, () => Promise<void>> = {
  async start() {
    const { executor, bare } = await starts(runs);
    console.log(
      `start: ${ms(executor)} from the start of the worker to its SUBSCRIBE, ${ms(bare)} for node -e 0: ${ratio(executor, bare)} times`,
    );
  },
  async launch() {
    const { executor, docker } = await launches(runs);
    console.log(
      `launch: ${ms(executor)} from LAUNCH to TASK_RUNNING, ${ms(docker)} for docker run -d: ${ratio(executor, docker)} times`,
    );
  },
  async memory() {
    const ours = await dockerExecutor([1, 10, 50, 200]);
    const theirs = await commandExecutors([1, 10, 50]);
    for (const [tasks, bytes] of ours) {
      const other = theirs.get(tasks);
      const beside = other === undefined ? '' : `; one executor for each command task: ${mib(other)}`;
      console.log(`memory: ${mib(bytes)} PSS for worker and supervisor with ${tasks} tasks${beside}`);
    }
    const [ten = 0, fifty = 0] = [ours.get(10), ours.get(50)];
    console.log(`memory: each task from the 11th to the 50th adds ${mib((fifty - ten) / 40)}`);
  },
  async logs() {
    const { executor, docker } = await logThroughput(LOG_RUNS, LOG_MB);
    console.log(
      `logs: ${(LOG_MB / executor).toFixed(0)} MB/s into the sandbox, ${(LOG_MB / docker).toFixed(0)} MB/s with docker logs -f: ` +
        `${(docker / executor).toFixed(2)} times`,
    );
  },
};

for (const name of positionals) {
  if (!(name in parts)) throw new Error(`"${name}" is none of ${Object.keys(parts).join(', ')}`);
}
const { stdout: engine } = await execa('docker', ['version', '--format', '{{.Server.Version}}']);
console.log(`${machine()}, Docker ${engine}, load ${loadavg()[0]?.toFixed(1)}; medians of ${runs}`);
await makeTestImages();
try {
  for (const [name, part] of Object.entries(parts)) {
    if (positionals.length === 0 || positionals.includes(name)) await part();
  }
} finally {
  await removeContainersOf(CLUSTER);
}

function ratio(ours: readonly number[], theirs: readonly number[]): string {
  return (median(ours) / median(theirs)).toFixed(2);
}

function ms(taken: readonly number[]): string {
  return `${median(taken).toFixed(0)} ms`;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
