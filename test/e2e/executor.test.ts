import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import {
  containersOf,
  ExecutorProcess,
  makeExecutorDist,
  removeContainersOf,
  taskOf,
} from './support/executor-process.ts';
import { ScriptedAgent } from './support/scripted-agent.ts';

let dist: string;
let agent: ScriptedAgent;
let executors: ExecutorProcess[];
let cluster: string;
let tests = 0;

async function start(options: { argv?: string[]; env?: Record<string, string>; executorId?: string } = {}) {
  const executor = await ExecutorProcess.start({ dist, agent, cluster, ...options });
  executors.push(executor);
  await agent.subscription(1);
  return executor;
}

beforeAll(async () => {
  await makeTestImages();
  dist = await makeExecutorDist();
});
afterAll(() => rm(dist, { recursive: true, force: true }));

beforeEach(async () => {
  tests += 1;
  cluster = `test-${process.pid}-${tests}`;
  executors = [];
  agent = await ScriptedAgent.start();
});
afterEach(async () => {
  for (const executor of executors) await executor.end();
  await agent.stop();
  await removeContainersOf(cluster);
});

describe('a task', () => {
  test('starts, runs and finishes, with its output in the sandbox and no container left', async () => {
    const executor = await start();
    agent.launch(
      taskOf('app_1', 'echo out; echo err >&2; sleep 0.3; echo "end $GREETING"', {
        env: { GREETING: 'hello' },
      }),
    );
    const running = await agent.update('app_1', 'TASK_RUNNING');
    await agent.update('app_1', 'TASK_FINISHED');
    expect(agent.statesOf('app_1')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    expect(running.container_status?.network_infos?.[0]?.ip_addresses[0]?.ip_address).toMatch(
      /^\d+\.\d+\.\d+\.\d+$/,
    );
    expect(await executor.read('tasks/app_1/stdout')).toBe('out\nend hello\n');
    expect(await executor.read('tasks/app_1/stderr')).toBe('err\n');
  });
});
