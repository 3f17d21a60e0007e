import { execa } from 'execa';
import { BUSYBOX } from '../../e2e/support/busybox-image.ts';
import { taskOf } from '../../e2e/support/executor-process.ts';
import { CLUSTER, Run } from './run.ts';

const SCRIPT = 'sleep 600';

/**
 * Launches a task with the executor and a container with `docker run -d`, in turn.
 * @returns milliseconds until TASK_RUNNING and until docker ended, one of each per run
 */
export async function launches(runs: number): Promise<{ executor: number[]; docker: number[] }> {
  await using run = await Run.start();
  const executor: number[] = [];
  const docker: number[] = [];
  // The first round loads the image's layers and the programs.
  for (let i = 0; i <= runs; i += 1) {
    const ours = await launch(run, `launch-${i}`);
    const theirs = await runContainer(`${CLUSTER}-${i}`);
    if (i === 0) continue;
    executor.push(ours);
    docker.push(theirs);
  }
  return { executor, docker };
}

async function launch({ agent }: Run, id: string): Promise<number> {
  const began = performance.now();
  agent.launch(taskOf(id, SCRIPT));
  await agent.update(id, 'TASK_RUNNING');
  const taken = performance.now() - began;
  agent.kill(id, 0);
  await agent.update(id, 'TASK_KILLED');
  return taken;
}

async function runContainer(name: string): Promise<number> {
  const limits = ['-c', '512', '-m', '32m', '--memory-swap', '32m'];
  const labels = ['--label', `mesosup.cluster=${CLUSTER}`];
  const began = performance.now();
  await execa('docker', [
    'run',
    '-d',
    '--name',
    name,
    ...labels,
    ...limits,
    BUSYBOX,
    '/bin/sh',
    '-c',
    SCRIPT,
  ]);
  const taken = performance.now() - began;
  await execa('docker', ['rm', '-f', name]);
  return taken;
}
