import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { taskOf } from '../../e2e/support/executor-process.ts';
import { ScriptedAgent } from '../../e2e/support/scripted-agent.ts';
import { DIST, Run } from './run.ts';

/** Tasks launched at a time: an engine with two cores can't create more at once. */
const BATCH = 10;
const SETTLE_MS = 5000;

/**
 * Runs up to the last number of tasks in one executor.
 * @param counts ascending
 * @returns PSS in bytes of worker and supervisor, by number of tasks
 */
export async function dockerExecutor(counts: readonly number[]): Promise<Map<number, number>> {
  await using run = await Run.start();
  const sizes = new Map<number, number>();
  let tasks = 0;
  for (const count of counts) {
    while (tasks < count) {
      const batch = Array.from({ length: Math.min(BATCH, count - tasks) }, (_, i) => `memory-${tasks + i}`);
      for (const id of batch) run.agent.launch(taskOf(id, 'exec sleep 3600', { mem: 8 }));
      await Promise.all(batch.map((id) => run.agent.update(id, 'TASK_RUNNING')));
      tasks += batch.length;
    }
    await sleep(SETTLE_MS);
    sizes.set(count, await pssOf([run.executor.pid, await run.executor.workerPid()]));
  }
  return sizes;
}

/** Runs command tasks as the embedded Mesos does, with one executor each. */
export async function commandExecutors(counts: readonly number[]): Promise<Map<number, number>> {
  const sizes = new Map<number, number>();
  for (const count of counts) {
    const started = await Promise.all(Array.from({ length: count }, (_, i) => startCommandExecutor(i)));
    await sleep(SETTLE_MS);
    sizes.set(count, await pssOf(started.map(({ executor }) => executor.pid ?? 0)));
    await Promise.all(started.map((one) => one.end()));
  }
  return sizes;
}

async function startCommandExecutor(
  i: number,
): Promise<{ executor: ChildProcess; end: () => Promise<void> }> {
  const id = `command-${i}`;
  const agent = await ScriptedAgent.start();
  const sandbox = await mkdtemp(path.join(tmpdir(), 'mesosup-bench-'));
  const executor = spawn(path.join(DIST, 'bin/node'), [path.join(DIST, 'lib/command-executor.js')], {
    cwd: sandbox,
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      MESOS_AGENT_ENDPOINT: agent.endpoint,
      MESOS_SLAVE_ID: 'agent-S0',
      MESOS_FRAMEWORK_ID: `bench-${process.pid}`,
      MESOS_EXECUTOR_ID: id,
      MESOS_DIRECTORY: sandbox,
      MESOS_SANDBOX: sandbox,
    },
  });
  await agent.subscription(1);
  const { data: _, ...task } = taskOf(id, '');
  agent.launch({ ...task, command: { value: 'exec sleep 3600' } });
  await agent.update(id, 'TASK_RUNNING');
  return {
    executor,
    async end() {
      agent.kill(id, 0);
      await once(executor, 'exit');
      await agent.stop();
      await rm(sandbox, { recursive: true });
    },
  };
}

/** @returns bytes; pages that several processes share count in proportion */
async function pssOf(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8')));
  return texts.reduce((sum, text) => sum + Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024, 0);
}
