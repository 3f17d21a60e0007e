/** What tasks see of a Docker engine that restarts, dies or hangs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { runs } from '../../support/runs.ts';
import { executorBench } from '../support/executor-bench.ts';
import { type ExecutorProcess, taskOf } from '../support/executor-process.ts';
import { OwnDocker } from '../support/own-docker.ts';

const bench = executorBench();
/** Makes a hang a failure. */
const LIMIT = 120_000;
const COUNTING = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done';

let ids: string[];
beforeEach(() => {
  ids = ['a', 'b', 'c'];
});

/** Starts three tasks that count, on an engine of their own. */
async function counting(docker: OwnDocker): Promise<ExecutorProcess> {
  const executor = await bench.start({ env: { DOCKER_HOST: `unix://${docker.socket}` } });
  for (const id of ids) bench.agent.launch(taskOf(id, COUNTING, { options: ['--init'] }));
  for (const id of ids) await executor.contains(`tasks/${id}/stdout`, /^3$/m);
  return executor;
}

async function taskIdsOf({ engine }: OwnDocker, state?: string): Promise<string[]> {
  const found = await engine.listContainers({ 'mesosup.task': undefined });
  return found
    .filter((one) => state === undefined || one.State === state)
    .map(({ Labels }) => Labels['mesosup.task'] ?? '')
    .sort();
}

/** Resolves when the task has written ten more lines; fails if a line is missing or doubled. */
async function goesOn(executor: ExecutorProcess, id: string): Promise<void> {
  const read = async () => (await executor.read(`tasks/${id}/stdout`)).trim().split('\n').map(Number);
  const last = (await read()).at(-1) ?? 0;
  await executor.contains(`tasks/${id}/stdout`, new RegExp(`^${last + 10}$`, 'm'));
  const numbers = await read();
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'with live-restore, containers go on without an update after %s of dockerd',
  { timeout: LIMIT },
  async (signal) => {
    await using docker = await OwnDocker.start(true);
    const executor = await counting(docker);
    await docker.stop(signal);
    await executor.contains('executor.log', /waiting for Docker/);
    await docker.start();
    for (const id of ids) await goesOn(executor, id);
    for (const id of ids) expect(bench.agent.statesOf(id)).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
    expect(await taskIdsOf(docker)).toEqual(ids);
    // A kill still reaches the container, and so does its end the framework.
    bench.agent.kill('a', 600);
    expect((await bench.agent.update('a', 'TASK_KILLED')).message).toMatch(/after a stop request/);
    await executor.end();
  },
);

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'without live-restore, each task has failed once after %s of dockerd',
  { timeout: LIMIT },
  async (signal) => {
    await using docker = await OwnDocker.start(false);
    const executor = await counting(docker);
    await docker.stop(signal);
    await docker.start();
    for (const id of ids) await bench.agent.update(id, 'TASK_FAILED');
    for (const id of ids)
      expect(bench.agent.statesOf(id)).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
    while ((await taskIdsOf(docker)).length > 0) await sleep(100);
    // The engine takes new tasks.
    bench.agent.launch(taskOf('next', 'exit 0'));
    await bench.agent.update('next', 'TASK_FINISHED');
    await executor.end();
  },
);

test('a hanging dockerd delays launches and kills, and loses and doubles nothing', {
  timeout: LIMIT,
}, async () => {
  await using docker = await OwnDocker.start(true);
  const executor = await counting(docker);
  docker.hang(true);
  bench.agent.launch(taskOf('late', 'sleep 600', { options: ['--init'] }));
  bench.agent.kill('a', 600);
  await bench.agent.update('a', 'TASK_KILLING');
  await sleep(Math.min(30_000, runs(6000)));
  for (const id of ['b', 'c']) expect(bench.agent.statesOf(id)).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  expect(bench.agent.statesOf('late')).toEqual(['TASK_STARTING']);
  docker.hang(false);
  await bench.agent.update('late', 'TASK_RUNNING');
  expect((await bench.agent.update('a', 'TASK_KILLED')).message).toMatch(/143 \(SIGTERM\) after/);
  for (const id of ['b', 'c']) await goesOn(executor, id);
  while ((await taskIdsOf(docker)).includes('a')) await sleep(100);
  expect(await taskIdsOf(docker, 'running')).toEqual(['b', 'c', 'late']);
  await executor.end();
});

test('launches that a dying dockerd interrupts run or have failed, without an orphan', {
  timeout: LIMIT,
}, async () => {
  await using docker = await OwnDocker.start(true);
  const executor = await bench.start({ env: { DOCKER_HOST: `unix://${docker.socket}` } });
  ids = Array.from({ length: 12 }, (_, i) => `t${i}`);
  const launching = (async () => {
    for (const id of ids) {
      bench.agent.launch(taskOf(id, 'sleep 600', { options: ['--init'] }));
      await sleep(120);
    }
  })();
  for (let i = 0; i < 2; i += 1) {
    await sleep(500);
    await docker.stop('SIGKILL');
    await docker.start();
  }
  await launching;
  const last = (id: string) => bench.agent.statesOf(id).at(-1);
  await bench.agent.until(() =>
    ids.every((id) => last(id) === 'TASK_RUNNING' || last(id) === 'TASK_FAILED') ? true : undefined,
  );
  const running = ids.filter((id) => last(id) === 'TASK_RUNNING').sort();
  while ((await taskIdsOf(docker)).length > running.length) await sleep(100);
  expect(await taskIdsOf(docker, 'running')).toEqual(running);
  for (const id of ids) {
    // TASK_STARTING repeats with the progress of the start.
    const states = bench.agent.statesOf(id).filter((state) => state !== 'TASK_STARTING');
    expect(states, id).toEqual([...new Set(states)]);
  }
  await executor.end();
});
