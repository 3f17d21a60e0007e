/** The environment of each test of the executor: an agent, a separate cluster, and a clean-up. */

import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { makeTestImages } from './busybox-image.ts';
import { ExecutorProcess, makeExecutorDist, removeContainersOf } from './executor-process.ts';
import { ScriptedAgent } from './scripted-agent.ts';

interface StartOptions {
  argv?: string[];
  env?: Record<string, string>;
  executorId?: string;
  fetch?: (sandbox: string) => Promise<unknown>;
}

export interface ExecutorBench {
  dist: string;
  agent: ScriptedAgent;
  /** The label of this test's containers. */
  cluster: string;
  /** Starts an executor and waits until it has subscribed. */
  start(options?: StartOptions): Promise<ExecutorProcess>;
}

/** Registers the hooks. @returns an object whose fields are set before each test */
export function executorBench(): ExecutorBench {
  const executors: ExecutorProcess[] = [];
  let tests = 0;
  const bench: ExecutorBench = {
    dist: '',
    cluster: '',
    agent: ScriptedAgent.prototype,
    async start(options = {}) {
      const n = bench.agent.subscriptions.length + 1;
      const executor = await ExecutorProcess.start({ ...bench, ...options });
      executors.push(executor);
      await bench.agent.subscription(n);
      return executor;
    },
  };
  beforeAll(async () => {
    await makeTestImages();
    bench.dist = await makeExecutorDist();
  });
  afterAll(() => rm(bench.dist, { recursive: true, force: true }));
  beforeEach(async () => {
    tests += 1;
    bench.cluster = `test-${process.pid}-${tests}`;
    bench.agent = await ScriptedAgent.start();
    bench.agent.cluster = bench.cluster;
  });
  afterEach(async () => {
    for (const executor of executors.splice(0)) await executor.end();
    await bench.agent.stop();
    await removeContainersOf(bench.cluster);
  });
  return bench;
}
