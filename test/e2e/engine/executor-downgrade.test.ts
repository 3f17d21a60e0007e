/** A worker with tasks that it can't read: tasks of a later release after a downgrade, and a damaged file. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { executorBench } from '../support/executor-bench.ts';
import { gone, onlyContainerOf, taskOf } from '../support/executor-process.ts';

const bench = executorBench();

const IDLE_S = 2;
const LATER = JSON.stringify({ format: 2, release: '0.7.0', id: 'a', stage: 'runs' });

test.each([
  ['of a later release', LATER],
  ['of a later release whose id is not known', '{"format":2,"task":"a"}'],
  ['that is damaged', '{"id":"a","ph'],
])('keeps the container of a task in a file %s, and can kill it', async (_title, text) => {
  const { agent, cluster } = bench;
  const executor = await bench.start({ env: { MESOSUP_EXECUTOR_IDLE_TIMEOUT: String(IDLE_S) } });
  agent.launch(taskOf('a', 'sleep 600'));
  await agent.update('a', 'TASK_RUNNING');
  const before = await onlyContainerOf(cluster);
  const state = path.join(executor.sandbox, 'state');
  process.kill(executor.pid, 'SIGSTOP');
  const worker = await executor.workerPid();
  process.kill(worker, 'SIGKILL');
  await gone(worker);
  const [name = ''] = await readdir(state);
  const file = path.join(state, name);
  await writeFile(file, text);
  process.kill(executor.pid, 'SIGCONT');
  await agent.subscription(2);
  await executor.contains('executor.log', new RegExp(`${name} can't be read`));
  // By then, an executor without tasks would have exited, and its container would have been removed as an orphan.
  await sleep(2 * IDLE_S * 1000);
  expect(await Promise.race([executor.exited, sleep(1, 'lives')])).toBe('lives');
  const after = await onlyContainerOf(cluster);
  expect([after.Id, after.State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);
  expect(agent.statesOf('a')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  if (text.includes('format')) expect(await readFile(file, 'utf8')).toBe(text);
  agent.kill('a', 0);
  await agent.update('a', 'TASK_KILLED');
});
