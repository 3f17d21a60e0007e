import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { BUSYBOX } from '../../e2e/support/busybox-image.ts';
import { taskOf } from '../../e2e/support/executor-process.ts';
import { median } from '../figures.ts';
import { CLUSTER, Run } from './run.ts';

const LINE = 'x'.repeat(999);
/** One file, so that Docker skips no output when it is read more slowly than written. */
const LOG_OPTIONS = ['--log-driver', 'json-file', '--log-opt', 'max-size=10g'];

/**
 * Runs a container that prints, with the executor and with `docker run -d` and `docker logs -f` into a file, in turn.
 * @returns seconds from the launch until everything is written, medians
 */
export async function logThroughput(runs: number, mb: number): Promise<{ executor: number; docker: number }> {
  const script = `/bin/busybox yes ${LINE} | dd bs=1000000 count=${mb} iflag=fullblock 2>/dev/null`;
  const executor: number[] = [];
  const docker: number[] = [];
  for (let i = 0; i < runs; i += 1) {
    executor.push(await byExecutor(script));
    docker.push(await byDocker(script));
  }
  return { executor: median(executor), docker: median(docker) };
}

async function byExecutor(script: string): Promise<number> {
  await using run = await Run.start();
  const began = performance.now();
  run.agent.launch(taskOf('logs', script, { options: LOG_OPTIONS }));
  // The executor sends the last update after all output was written.
  await run.agent.update('logs', 'TASK_FINISHED');
  return (performance.now() - began) / 1000;
}

async function byDocker(script: string): Promise<number> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-bench-'));
  try {
    const began = performance.now();
    const labels = ['--label', `mesosup.cluster=${CLUSTER}`];
    const options = [...labels, ...LOG_OPTIONS];
    const { stdout: id } = await execa('docker', ['run', '-d', ...options, BUSYBOX, '/bin/sh', '-c', script]);
    await execa('docker', ['logs', '-f', id], {
      stdout: { file: path.join(directory, 'stdout') },
      buffer: false,
    });
    const taken = (performance.now() - began) / 1000;
    await execa('docker', ['rm', '-f', id]);
    return taken;
  } finally {
    await rm(directory, { recursive: true });
  }
}
