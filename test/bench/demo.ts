/**
 * Measures the demo's time until its answer, as the median of several runs, and mesosup's own share: the wall time from
 * the start of the command minus the time in which a Docker create or start call was running.
 * `npm run bench:demo [runs]`, in a built checkout with the image present.
 */
import path from 'node:path';
import { execa } from 'execa';
import { machine, median } from './figures.ts';

const runs = Number(process.argv[2] ?? 5);
const mesosup = path.resolve(import.meta.dirname, '../../bin/mesosup');

interface Run {
  wall: number;
  docker: number;
  ours: number;
}

async function once(): Promise<Run> {
  const begun = performance.timeOrigin + performance.now();
  const { stdout } = await execa(mesosup, ['demo', '--once', '--json']);
  const { wallMs, dockerMs, answeredAt } = JSON.parse(stdout) as {
    wallMs: number;
    dockerMs: number;
    answeredAt: number;
  };
  // The command's clock starts with its runtime; the time of the shell and the loader before counts as well.
  const wall = Math.max(answeredAt - begun, wallMs);
  return { wall, docker: dockerMs, ours: wall - dockerMs };
}

const { stdout: docker } = await execa('docker', ['version', '--format', '{{.Server.Version}}']);
console.log(`${machine()}, Docker ${docker}`);
const results: Run[] = [];
for (let i = 1; i <= runs; i += 1) {
  const run = await once();
  results.push(run);
  console.log(
    `run ${i}: ${ms(run.wall)} to the answer, ${ms(run.docker)} Docker create and start, ${ms(run.ours)} ours`,
  );
}
console.log(
  `median of ${runs}: ${ms(median(results.map((r) => r.wall)))} to the answer, ${ms(median(results.map((r) => r.ours)))} ours`,
);

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
