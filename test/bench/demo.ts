/**
 * Measures the demo's time until its answer, and mesosup's own share: the wall time from the start of the command minus
 * the time in which a Docker create or start call was running, also as a multiple of bare starts of Node, which run in
 * turn with the demos. Then shows when each part started and reached its states.
 * `npm run bench:demo [runs]`, in a built checkout with the image present.
 */
import { loadavg } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { demoDirectory } from '../../src/demo/directory.ts';
import { type Marks, readMarks } from './demo-marks.ts';
import { machine, median } from './figures.ts';

/** Limit of the own share, in bare starts. */
const WITHIN = 8;
const BARE_STARTS = 3;

const runs = Number(process.argv[2] ?? 5);
const root = path.resolve(import.meta.dirname, '../..');
const mesosup = path.join(root, 'bin/mesosup');
const node = path.join(root, 'dist/bin/node');

interface Run {
  readonly wall: number;
  readonly docker: number;
  readonly ours: number;
  /** Milliseconds from the start of the command. */
  readonly marks: Marks;
}

async function demo(): Promise<Run> {
  const begun = performance.timeOrigin + performance.now();
  const { stdout } = await execa(mesosup, ['demo', '--detach', '--json']);
  try {
    const { wallMs, dockerMs, answeredAt } = JSON.parse(stdout) as {
      wallMs: number;
      dockerMs: number;
      answeredAt: number;
    };
    // The command's clock starts with its runtime; the time of the shell and the loader before counts as well.
    const wall = Math.max(answeredAt - begun, wallMs);
    const marks = await readMarks(demoDirectory(process.getuid?.() ?? 0, process.env));
    marks.set('answer', answeredAt);
    const sinceBegin = [...marks].map(([name, time]): [string, number] => [name, time - begun]);
    return { wall, docker: dockerMs, ours: wall - dockerMs, marks: new Map(sinceBegin) };
  } finally {
    await execa(mesosup, ['demo', 'down']);
  }
}

async function bareStart(): Promise<number> {
  const begun = performance.now();
  await execa(node, ['-e', '0'], { stdio: 'ignore' });
  return performance.now() - begun;
}

const { stdout: docker } = await execa('docker', ['version', '--format', '{{.Server.Version}}']);
console.log(`${machine()}, Docker ${docker}, load ${loadavg()[0]?.toFixed(1)}`);
const results: Run[] = [];
const bareStarts: number[] = [];
const lines: string[] = [];
for (let i = 1; i <= runs; i += 1) {
  for (let n = 0; n < BARE_STARTS; n += 1) bareStarts.push(await bareStart());
  const run = await demo();
  results.push(run);
  lines.push(
    `run ${i}: ${ms(run.wall)} to the answer, ${ms(run.docker)} Docker create and start, ${ms(run.ours)} ours`,
  );
}
const bare = median(bareStarts);
const ours = median(results.map((r) => r.ours));
const ratio = ours / bare;
console.log(
  `median of ${runs}: ${ms(ours)} ours = ${ratio.toFixed(1)} bare Node starts of ${ms(bare)}: ${ratio <= WITHIN ? '' : 'NOT '}within ${WITHIN}; ${ms(median(results.map((r) => r.wall)))} to the answer`,
);
console.log(lines.join('\n'));
console.log('\nfrom the start of the command, medians:');
const parts = [...(results[0]?.marks.keys() ?? [])].map((name): [string, number] => [
  name,
  median(results.map(({ marks }) => marks.get(name) ?? Number.NaN)),
]);
for (const [name, time] of parts.sort(([, a], [, b]) => a - b)) {
  console.log(`${time.toFixed(0).padStart(6)} ms  ${name}`);
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
